/* Routes, borders, crossings and names over the relief. Tells the page what is chosen by events on the document. */
"use strict";
var corridorMap = (function () {
  var DASH = "7 6";

  function fallbackWords(data) {
    return function (key, values) {
      return ((data.words && data.words[key]) || key).replace(/\{(\w+)\}/g, function (whole, name) {
        return values && name in values ? values[name] : whole;
      });
    };
  }
  function wordsOf(data) {
    var plain = fallbackWords(data);
    return function (key, values) { return window.corridorWords ? window.corridorWords.get(key, values) : plain(key, values); };
  }
  function announce(name, detail) { document.dispatchEvent(new CustomEvent(name, { detail: detail })); }

  function text(tag, className, content) {
    var node = document.createElement(tag);
    if (className) { node.className = className; }
    node.textContent = content;
    return node;
  }

  /* A marker whose title follows the language of the page. */
  function titled(marker, title) {
    function say() {
      var node = marker.getElement();
      marker.options.title = marker.options.alt = title();
      if (node) { node.title = marker.options.title; }
    }
    say();
    document.addEventListener("corridor:language", say);
    return marker;
  }

  function panes(map) {
    [["border-casing", 335], ["rivers", 340], ["roads", 345], ["borders", 350], ["axes", 370], ["casing", 390], ["routes", 400], ["chosen", 420], ["structures", 430], ["cutoff", 440], ["crossings", 610],
      ["names", 620], ["letters", 640], ["cursor", 650]].forEach(function (pane) {
      var node = map.getPane(pane[0]) || map.createPane(pane[0]);
      node.style.zIndex = pane[1];
    });
    ["names", "borders", "border-casing", "roads"].forEach(function (name) { map.getPane(name).style.pointerEvents = "none"; });
  }

  function drawBorders(map, data) {
    var group = L.layerGroup();
    var casing = { pane: "border-casing", color: corridorTheme.paper, weight: 4, opacity: 0.7, interactive: false };
    var line = { pane: "borders", color: corridorTheme.border, weight: 1.4, dashArray: "8 3 2 3", interactive: false };
    group.addLayer(L.polyline(data.borders, casing));
    group.addLayer(L.polyline(data.borders, line));
    data.focus.forEach(function (ring) {
      group.addLayer(L.polygon(ring, { pane: "borders", color: corridorTheme.focus_region, weight: 1.5, opacity: 0.6, dashArray: "2 5",
        fillColor: corridorTheme.focus_region, fillOpacity: 0.05, interactive: false }));
    });
    return group.addTo(map);
  }

  /* One candidate: a white casing, its parts (dashed where not there yet), its structures and its letter. */
  function drawCandidate(map, candidate, words) {
    var group = L.featureGroup(), lines = [], casings = [];
    candidate.parts.forEach(function (part) {
      casings.push(L.polyline(part.line, { pane: "casing", color: corridorTheme.paper, weight: 5, opacity: 0.75, interactive: false }));
      var line = L.polyline(part.line, { pane: "routes", color: candidate.colour, weight: 3, opacity: 0.95,
        dashArray: part.dashed ? DASH : null, bubblingMouseEvents: false });
      line.on("mousemove", function (event) { announce("corridor:over", { id: candidate.id, latlng: event.latlng }); });
      line.bindTooltip(function () {
        var box = text("div", "tip", "");
        box.appendChild(text("strong", "", candidate.letter + " "));
        box.appendChild(text("bdi", "", corridorLabels.said(candidate.words)));
        box.appendChild(document.createElement("br"));
        box.appendChild(text("bdi", "", corridorLabels.said(part.name)));
        box.appendChild(text("span", "", " · " + words("status." + part.status) + " · " + corridorLabels.said(part.km) + " " + words("unit.km")));
        return box;
      }, { sticky: true });
      lines.push(line);
    });
    casings.concat(lines).forEach(function (line) { group.addLayer(line); });
    candidate.spans.forEach(function (span) {
      var colour = span.kind === "tunnel" ? corridorTheme.mark : corridorTheme.paper;
      group.addLayer(L.polyline(span.line, { pane: "structures", color: corridorTheme.mark, weight: span.kind === "tunnel" ? 8 : 9,
        lineCap: "butt", interactive: false }));
      var inner = L.polyline(span.line, { pane: "structures", color: span.kind === "tunnel" ? corridorTheme.paper : colour, weight: 5,
        lineCap: "butt", dashArray: span.kind === "tunnel" ? "3 3" : null, bubblingMouseEvents: false });
      inner.bindTooltip(function () {
        return text("bdi", "", words("map." + span.kind) + ": " + corridorLabels.said(span.name) + ", " + corridorLabels.said(span.km) + " " + words("unit.km"));
      }, { sticky: true });
      group.addLayer(inner);
    });
    var letter = text("span", "letter", candidate.letter);
    letter.style.backgroundColor = candidate.colour;
    var marker = titled(L.marker(candidate.at, { pane: "letters", keyboard: false,
      icon: L.divIcon({ className: "letter-box", html: letter, iconSize: [22, 22] }) }),
      function () { return candidate.letter + ": " + corridorLabels.said(candidate.words); });
    group.addLayer(marker);
    group.on("click", function () { announce("corridor:choose", { id: candidate.id }); });

    function paint(state) {
      var chosen = state === "chosen", faint = state === "faint";
      casings.forEach(function (line) { line.setStyle({ weight: chosen ? 11 : 5, opacity: faint ? 0.3 : chosen ? 1 : 0.75 }); });
      lines.forEach(function (line) {
        line.setStyle({ weight: chosen ? 6.5 : 3, opacity: faint ? 0.75 : 1 });
        if (chosen) { line.bringToFront(); }
      });
      if (chosen) { casings.forEach(function (line) { line.bringToFront(); }); }
      letter.classList.toggle("chosen", chosen);
      marker.setZIndexOffset(chosen ? 1000 : 0);
    }
    return { group: group, marker: marker, paint: paint, candidate: candidate };
  }

  /* Where the chosen route meets roads under the chosen regime: shared stretches and crossings; decisive ones ringed. */
  function drawEvents(group, data, words, id, regime) {
    group.clearLayers();
    (data.events || []).filter(function (event) {
      return event.id === id && (event.regimes.length === 0 || event.regimes.indexOf(regime) >= 0);
    }).forEach(function (event) {
      var decisive = event.decisive.indexOf(regime) >= 0, shape;
      if (event.line) {
        shape = L.polyline(event.line, { pane: "structures", color: corridorTheme.mark, weight: 2.5, dashArray: "1 5" });
      } else {
        shape = L.circleMarker(event.at, { pane: "crossings", radius: decisive ? 9 : 4, color: decisive ? corridorTheme.decisive : corridorTheme.mark,
          weight: decisive ? 4 : 2, fillColor: corridorTheme.event, fillOpacity: 1 });
      }
      shape.bindTooltip(function () {
        var box = text("div", "tip", "");
        box.appendChild(text("strong", "", words("event." + event.kind) + (decisive ? " (" + words("event.decisive") + ")" : "")));
        [event.road, event.structure].forEach(function (line) {
          if (line) { box.appendChild(document.createElement("br")); box.appendChild(text("bdi", "", corridorLabels.said(line))); }
        });
        return box;
      }, { sticky: true });
      group.addLayer(shape);
    });
  }

  function drawCrossings(map, data, words) {
    var group = L.layerGroup();
    data.crossings.forEach(function (crossing) {
      var sign = { open: "", closed: "×", planned: "" }[crossing.status];
      var icon = text("span", "crossing " + crossing.mode + " " + crossing.status, sign === undefined ? "?" : sign);
      var marker = titled(L.marker([crossing.lat, crossing.lon], { pane: "crossings", keyboard: false,
        icon: L.divIcon({ className: "crossing-box", html: icon, iconSize: [14, 14] }) }),
        function () { return corridorLabels.said(crossing.name); });
      marker.bindPopup(function () {
        var box = text("div", "tip", "");
        var sides = crossing.countries.split("-").map(function (code) { return corridorLabels.countryName(code, code); });
        box.appendChild(text("strong", "", "")).appendChild(text("bdi", "", corridorLabels.said(crossing.name)));
        box.appendChild(document.createElement("br"));
        box.appendChild(text("span", "", words("map.crossing") + ": " + sides.join(" – ") + ", " + words("status." + crossing.status) + " "));
        box.appendChild(text("bdi", "", "(" + crossing.as_of + ")"));
        return box;
      });
      group.addLayer(marker);
    });
    return group.addTo(map);
  }

  /* The ground between the chosen route and the border. */
  function drawStrip(group, data, id) {
    group.clearLayers();
    ((data.strips || {})[id] || []).forEach(function (ring) {
      group.addLayer(L.polygon(ring, { pane: "borders", color: corridorTheme.decisive, weight: 1, fillColor: corridorTheme.decisive, fillOpacity: 0.22, interactive: false }));
    });
  }

  function legend(map, data, words) {
    var rows = [["line solid", "map.legend.existing"], ["line dashed", "map.legend.to_build"],
      ["line tunnel", "map.tunnel"], ["line bridge", "map.bridge"], ["line border", "map.legend.border", { source: data.sources.borders }],
      ["line focus", "map.legend.focus"], ["crossing road open", "map.legend.open"],
      ["crossing road closed", "map.legend.closed"], ["crossing road planned", "map.legend.planned"],
      ["crossing rail open", "map.legend.rail"],
      ["meet", "map.legend.meet"], ["line shared", "map.legend.shared"], ["meet decisive", "map.legend.decisive"]];
    if (Object.keys(data.strips || {}).length) { rows.push(["line strip", "map.legend.strip"]); }
    if (data.candidates.some(function (one) { return one.comparator; })) { rows.splice(2, 0, ["line compared", "map.legend.comparators"]); }
    if (data.changes.places.length) {
      rows.push(["cut-off", "map.legend.cut_off"]);
      corridorOverlays.DELAYS.forEach(function (band) { rows.push(["delay", "map.legend.delay", { minutes: band[2] }, band[1]]); });
    }
    if (data.roads.length) { rows.splice(4, 0, ["line main-road", "map.legend.road"]); }
    if (data.axes.length) { rows.splice(4, 0, ["line axis", "map.legend.axis"]); }
    var along = data.riversFromBorders;
    rows.push(!data.rivers.length ? ["", "map.legend.no_rivers"] : ["line river" + (along ? " along" : ""),
      along ? "map.legend.border_river" : "map.legend.river", along ? undefined : { source: data.sources.osm }]);
    var Control = L.Control.extend({
      options: { position: "bottomleft" },
      onAdd: function () {
        var box = L.DomUtil.create("details", "legend");
        box.open = map.getSize().x > 700 && map.getSize().y > 800; // else it would hide the routes
        box.addEventListener("toggle", function () { map.fire("corridor:blocked"); });
        var head = text("summary", "", words("map.legend"));
        head.dataset.i18n = "map.legend";
        box.appendChild(head);
        rows.forEach(function (row) {
          var item = L.DomUtil.create("div", "legend-row", box);
          var key = item.appendChild(text("span", "key " + row[0], row[0].indexOf("closed") > 0 ? "×" : ""));
          key.setAttribute("aria-hidden", "true");
          if (row[3]) { key.style.backgroundColor = row[3]; }
          var label = item.appendChild(text("span", "", words(row[1], row[2])));
          label.dataset.i18n = row[1];
          if (row[2]) { label.dataset.values = JSON.stringify(row[2]); }
        });
        L.DomEvent.disableClickPropagation(box);
        L.DomEvent.disableScrollPropagation(box);
        return box;
      }
    });
    return new Control().addTo(map);
  }

  function fullscreen(map, words) {
    var Control = L.Control.extend({
      options: { position: "topleft" },
      onAdd: function () {
        var box = L.DomUtil.create("div", "leaflet-bar map-tool"), button = L.DomUtil.create("button", "", box);
        button.type = "button";
        button.innerHTML = '<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="M1 6V1h5M10 1h5v5M15 10v5h-5M6 15H1v-5" fill="none" stroke="currentColor" stroke-width="2"/></svg>';
        button.dataset.i18nLabel = "map.fullscreen";
        button.title = words("map.fullscreen");
        button.setAttribute("aria-label", words("map.fullscreen"));
        L.DomEvent.disableClickPropagation(box);
        L.DomEvent.on(button, "click", function () {
          if (document.fullscreenElement) { document.exitFullscreen(); return; }
          var done = map.getContainer().requestFullscreen && map.getContainer().requestFullscreen();
          if (done && done.catch) { done.catch(function () { map.getContainer().classList.toggle("filling"); }); }
        });
        return box;
      }
    });
    return new Control().addTo(map);
  }

  function letterBoxes(map, routes) {
    return routes.filter(function (route) { return map.hasLayer(route.group); }).map(function (route) {
      var point = map.latLngToContainerPoint(route.candidate.at);
      return [point.x - 12, point.y - 12, point.x + 12, point.y + 12];
    });
  }
  function crossingBoxes(map, data) {
    return data.crossings.map(function (crossing) {
      var point = map.latLngToContainerPoint([crossing.lat, crossing.lon]);
      return [point.x - 6, point.y - 6, point.x + 6, point.y + 6];
    });
  }

  function controlBoxes(map) {
    var frame = map.getContainer().getBoundingClientRect();
    var nodes = map.getContainer().querySelectorAll(".leaflet-control");
    return Array.prototype.map.call(nodes, function (node) {
      var box = node.getBoundingClientRect();
      return [box.left - frame.left, box.top - frame.top, box.right - frame.left, box.bottom - frame.top];
    });
  }

  /* The scale, with its unit in the chosen language where the map stands in a page. */
  function scaleBar(map) {
    var scale = L.control.scale({ imperial: false, position: "bottomright" });
    scale._updateMetric = function (most) {
      var metres = this._getRoundNum(most), unit = metres < 1000 ? "m" : "km", said = window.corridorWords;
      this._updateScale(this._mScale, (metres < 1000 ? metres : metres / 1000) + " " + (said ? said.get("unit." + unit) : unit), metres / most);
    };
    scale.addTo(map);
    document.addEventListener("corridor:language", function () { scale._update(); });
  }

  /* The relief fills the frame, so that nothing blank lies beside it; but where too much of the routes would be out of
     sight, as in a tall window over a wide country, they come first. */
  var MOST_CROPPED = 0.75, BESIDE_CONTROLS = 44; // steps of zoom; pixels
  function fillFrame(map, data) {
    map.options.minZoom = 0;
    map.options.minZoom = Math.min(map.getBoundsZoom(data.bounds, true), map.getBoundsZoom(data.view) + MOST_CROPPED);
    map.fire("zoomlevelschange");
    if (map.getZoom() < map.options.minZoom) { map.setZoom(map.options.minZoom, { animate: false }); } // Leaflet's own way is animated
  }

  /* Build all layers; `relief` is the picture, or null where online tiles lie below. */
  function draw(map, data, relief) {
    var words = wordsOf(data), routes = [], cursor = null;
    panes(map);
    /* A line that listens to focus is a Tab stop of its own to some browsers; all of it is in tables and lists as well. */
    map.on("layeradd", function (event) {
      var path = event.layer._path;
      if (path) { path.setAttribute("tabindex", "-1"); path.ownerSVGElement.setAttribute("aria-hidden", "true"); }
    });
    map.options.maxBoundsViscosity = 1;
    map.setMaxBounds(data.bounds);
    map.on("resize", function () { fillFrame(map, data); });
    fit();
    map.attributionControl.setPrefix(false);
    scaleBar(map);
    var through = L.layerGroup().addTo(map), comparators = L.layerGroup().addTo(map);
    var roads = corridorOverlays.drawRoads(map, data), rivers = corridorOverlays.drawRivers(map, data), borders = drawBorders(map, data), axes = corridorOverlays.drawAxes(map, data, words);
    data.candidates.forEach(function (candidate) {
      var route = drawCandidate(map, candidate, words);
      (candidate.comparator ? comparators : through).addLayer(route.group);
      routes.push(route);
    });
    var crossings = drawCrossings(map, data, words);
    var events = L.layerGroup().addTo(map), strip = L.layerGroup().addTo(map), cutOff = L.layerGroup().addTo(map);
    var labels = corridorLabels.attach(map, data.places, data.countries, function () {
      return letterBoxes(map, routes).concat(controlBoxes(map), map.hasLayer(crossings) ? crossingBoxes(map, data) : []);
    }, data.rivers);
    labels.layer.addTo(map);
    fullscreen(map, words);
    document.addEventListener("fullscreenchange", function () {
      map.invalidateSize({ animate: false });
      fit();
    });
    corridorMeasure.attach(map, words);
    legend(map, data, words);
    var layers = [[through, "map.layer.routes"], [comparators, "map.layer.comparators"], [borders, "map.layer.borders"],
      [crossings, "map.layer.crossings"], [events, "map.layer.events"], [strip, "map.layer.strip"], [labels.layer, "map.layer.places"]];
    if (data.changes.places.length) { layers.splice(6, 0, [cutOff, "map.layer.cut_off"]); }
    if (data.rivers.length) { layers.splice(3, 0, [rivers, "map.layer.rivers"]); }
    if (data.roads.length) { layers.splice(3, 0, [roads, "map.layer.roads"]); }
    if (data.axes.length) { layers.splice(2, 0, [axes, "map.layer.axes"]); }
    if (relief) { layers.push([relief, "map.layer.relief"]); }
    var named = {}, byName = {};
    layers.forEach(function (layer) { byName[layer[1].split(".").pop()] = layer[0]; });
    layers.forEach(function (layer) { named['<span data-i18n="' + layer[1] + '">' + words(layer[1]) + "</span>"] = layer[0]; });
    L.control.layers(null, named, { collapsed: true }).addTo(map);

    function fit() {
      fillFrame(map, data);
      var beside = document.documentElement.classList.contains("printing") ? 0 : BESIDE_CONTROLS;
      map.fitBounds(data.view, { animate: false, paddingTopLeft: [beside, 0] }); // an animation ending late would undo what the reader did since
    }
    function choose(id) {
      routes.forEach(function (route) {
        route.paint(!id ? "plain" : route.candidate.id === id ? "chosen" : "faint");
      });
    }
    function point(lat, lon) {
      if (!cursor) {
        cursor = L.circleMarker([lat, lon], { pane: "cursor", radius: 7, color: corridorTheme.mark, weight: 3, fillColor: corridorTheme.paper,
          fillOpacity: 1, interactive: false });
      }
      cursor.setLatLng([lat, lon]).addTo(map);
    }
    /* What the chosen route is, beside its letter. */
    function card(id) {
      var route = routes.find(function (one) { return one.candidate.id === id; });
      if (!route || !route.group.getLayers().length) { return; }
      var box = text("div", "tip", ""), parts = route.candidate.parts, km = 0, open = 0;
      parts.forEach(function (part) { km += part.km; open += part.status === "open" ? part.km : 0; });
      box.appendChild(text("strong", "", route.candidate.letter + " "));
      box.appendChild(text("bdi", "", corridorLabels.said(route.candidate.words)));
      /* a package has a length for each of its routes */
      [[words("card.length"), route.candidate.lengths], [words("card.to_build"), [km - open]]].forEach(function (line) {
        box.appendChild(document.createElement("br"));
        box.appendChild(text("span", "", line[0] + ": " + line[1].map(Math.round).join(" + ") + " " + words("unit.km")));
      });
      var link = box.appendChild(document.createElement("br")) && box.appendChild(text("a", "", words("card.more")));
      link.href = "#h-route";
      link.tabIndex = -1;
      link.addEventListener("click", function (event) {
        event.preventDefault();
        var target = document.getElementById("h-route");
        if (target) { target.scrollIntoView(); }
      });
      opened = L.popup({ minWidth: 190, offset: [0, -8], closeOnClick: true }).setLatLng(route.candidate.at).setContent(box).openOn(map);
    }
    var opened = null;
    var now = { id: null, regime: data.regime };
    function meet() {
      drawEvents(events, data, words, now.id, now.regime);
      drawStrip(strip, data, now.id);
      corridorOverlays.drawChanges(cutOff, data, words, now.id, now.regime);
    }
    document.addEventListener("corridor:choose", function (event) { now.id = event.detail.id; choose(now.id); meet(); if (!event.detail.quiet) { card(now.id); } });
    document.addEventListener("corridor:regime", function (event) { now.regime = event.detail.regime; meet(); });
    document.addEventListener("corridor:language", function () { if (opened && opened.isOpen()) { card(now.id); } });
    var api = {
      map: map, layers: byName, candidates: data.candidates, choose: choose, refresh: labels.refresh, point: point,
      clear: function () { if (cursor) { map.removeLayer(cursor); } },
      show: fit,
      names: function () {
        return data.places.map(function (place) { return corridorLabels.inLanguage(place[0], place[5]); });
      },
      find: function (name) {
        var hit = corridorSearch.find(data, name);
        if (!hit) { return null; }
        map.setView(hit.at, Math.max(map.getZoom(), 10), { animate: false });
        point(hit.at[0], hit.at[1]);
        if (hit.route) { announce("corridor:choose", { id: hit.route }); }
        return hit.name;
      }
    };
    return api;
  }

  return { draw: draw };
})();
