/* What lies under and over the routes: the north-south axes, and places that the chosen route cuts off. */
"use strict";
var corridorOverlays = (function () {
  var AXIS = corridorTheme.axis;

  function node(tag, content) {
    var made = document.createElement(tag);
    made.textContent = content;
    return made;
  }

  /* Wide and pale, so that routes stay readable on them; dashed where no traffic runs today. */
  function drawAxes(map, data, words) {
    var group = L.layerGroup();
    data.axes.forEach(function (axis) {
      var line = L.polyline(axis.line, { pane: "axes", color: AXIS, weight: 11, opacity: 1, lineCap: "butt",
        dashArray: axis.status === "open" ? null : "9 6", bubblingMouseEvents: false });
      line.bindTooltip(function () {
        var box = node("div", "");
        box.className = "tip";
        axis.names.forEach(function (name) {
          box.appendChild(node("bdi", corridorLabels.said(name)));
          box.appendChild(document.createElement("br"));
        });
        box.appendChild(node("span", words("map.axis") + " · " + words("status." + axis.status)));
        return box;
      }, { sticky: true });
      group.addLayer(line);
    });
    return group.addTo(map);
  }

  /* Named rivers, blue, under everything else; wider where a border runs in them and would hide them. */
  function drawRivers(map, data) {
    var group = L.layerGroup(), weight = data.riversFromBorders ? 5 : 1.8;
    data.rivers.forEach(function (river) {
      var line = L.polyline(river.lines, { pane: "rivers", color: corridorTheme.river, weight: weight, opacity: data.riversFromBorders ? 0.6 : 0.9 });
      line.bindTooltip(function () { return node("bdi", corridorLabels.riverName(river)); }, { sticky: true });
      group.addLayer(line);
    });
    return group.addTo(map);
  }

  /* Main roads: thin and grey, so that they are ground to the routes; all of a kind are one path. */
  function drawRoads(map, data) {
    var group = L.layerGroup();
    [false, true].forEach(function (high) {
      var lines = [];
      data.roads.forEach(function (road) { if (road.high === high) { lines.push.apply(lines, road.lines); } });
      if (lines.length) {
        group.addLayer(L.polyline(lines, { pane: "roads", color: corridorTheme.road, weight: high ? 2 : 1.2, opacity: 0.8, interactive: false }));
      }
    });
    return group.addTo(map);
  }

  /* From this many minutes on, a place that reaches the crossing later has this fill. */
  var DELAYS = [[1, corridorTheme.delays[0], "1\u201315"], [15, corridorTheme.delays[1], "15\u201360"], [60, corridorTheme.delays[2], "> 60"]];

  function shadeOf(minutes) {
    return DELAYS.filter(function (band) { return minutes >= band[0]; }).pop()[1];
  }
  function looks(change) {
    if (change[2]) { return { radius: 6, color: corridorTheme.lost, weight: 2.5, fillColor: corridorTheme.lost, fillOpacity: 0.75 }; }
    if (change[1]) { return { radius: 3.5, color: corridorTheme.lost, weight: 1.6, fillColor: corridorTheme.paper, fillOpacity: 0.85 }; }
    return { radius: 4, color: corridorTheme.place_edge, weight: 0.8, fillColor: shadeOf(change[3]), fillOpacity: 0.95 };
  }

  /* Places that lose a way (red ring) or reach the crossing later (by colour) under the chosen route and regime. */
  function drawChanges(group, data, words, id, regime) {
    group.clearLayers();
    ((data.changes.by[id] || {})[regime] || []).forEach(function (change) {
      var place = data.changes.places[change[0]];
      var ring = L.circleMarker([place[1], place[2]], Object.assign({ pane: "cutoff", bubblingMouseEvents: false }, looks(change)));
      ring.bindTooltip(function () {
        var box = node("div", "");
        box.className = "tip";
        box.appendChild(node("strong", "")).appendChild(node("bdi", corridorLabels.said(place[0])));
        [change[1] ? words("cut.crossing") : "", change[2] ? words("cut.centre") + ": " + corridorLabels.said(place[4]) : "",
          change[3] ? words("cut.delay", { minutes: change[3] }) : "",
          place[3] ? words("cut.people") + ": " + place[3] : ""].forEach(function (line) {
          if (line) { box.appendChild(document.createElement("br")); box.appendChild(node("span", line)); }
        });
        return box;
      });
      group.addLayer(ring);
    });
  }

  return { drawAxes: drawAxes, drawChanges: drawChanges, drawRivers: drawRivers, drawRoads: drawRoads, DELAYS: DELAYS };
})();
