/* Height along the chosen route, drawn by uPlot; the pointer moves a mark on the map. */
"use strict";
var corridorProfile = (function () {
  var INK = corridorTheme.ink;
  /* From level to steep: told apart by lightness too. */
  var GRADES = corridorTheme.grades;

  function shade(profile) {
    return {
      hooks: {
        drawClear: [function (plot) {
          var context = plot.ctx, box = plot.bbox;
          profile.countries.forEach(function (stretch, index) {
            var from = plot.valToPos(stretch[1], "x", true), to = plot.valToPos(stretch[2], "x", true);
            from = Math.max(from, box.left); to = Math.min(to, box.left + box.width);
            if (to <= from) { return; }
            context.fillStyle = index % 2 ? corridorTheme.band_odd : corridorTheme.band_even;
            context.fillRect(from, box.top, to - from, box.height);
            if (to - from > 26 * devicePixelRatio) {
              context.fillStyle = corridorTheme.soft;
              context.font = 600 + " " + 12 * devicePixelRatio + "px system-ui, sans-serif";
              context.textAlign = "center"; context.textBaseline = "top";
              var key = "country." + stretch[0], named = window.corridorWords.known(key) ? window.corridorWords.get(key) : stretch[0];
              context.fillText(context.measureText(named).width < to - from ? named : stretch[0], (from + to) / 2, box.top + 4 * devicePixelRatio);
            }
          });
        }],
        draw: [function (plot) {
          var context = plot.ctx, box = plot.bbox;
          profile.spans.forEach(function (span) {
            var from = plot.valToPos(span[1], "x", true), to = plot.valToPos(span[2], "x", true);
            context.fillStyle = span[0] === "tunnel" ? corridorTheme.tunnel_fill : corridorTheme.bridge_fill;
            context.fillRect(from, box.top + 20 * devicePixelRatio, Math.max(to - from, 2 * devicePixelRatio), box.height - 20 * devicePixelRatio);
          });
          if (profile.grades) { colour(plot, profile); }
        }]
      }
    };
  }

  /* The route's line over again, each stretch in the colour of its grade. */
  function colour(plot, profile) {
    var context = plot.ctx, box = plot.bbox;
    context.save();
    context.beginPath();
    context.rect(box.left, box.top, box.width, box.height);
    context.clip();
    context.lineWidth = 3.5 * devicePixelRatio;
    context.lineCap = "round";
    profile.grades.forEach(function (grade, i) {
      context.strokeStyle = GRADES[grade];
      context.beginPath();
      context.moveTo(plot.valToPos(profile.km[i], "x", true), plot.valToPos(profile.height[i], "y", true));
      context.lineTo(plot.valToPos(profile.km[i + 1], "x", true), plot.valToPos(profile.height[i + 1], "y", true));
      context.stroke();
    });
    context.restore();
  }

  function nameGrades(profile, words) {
    var list = document.getElementById("grades");
    list.hidden = !profile || !profile.grades;
    list.textContent = "";
    if (list.hidden) { return; }
    list.appendChild(document.createElement("span")).textContent = words("profile.grade") + ":";
    GRADES.forEach(function (shade, i) {
      var limits = profile.gradeLimits, item = list.appendChild(document.createElement("span"));
      var key = item.appendChild(document.createElement("span"));
      key.className = "key-grade";
      key.style.backgroundColor = shade;
      var range = i === 0 ? "< " + limits[0] : i === limits.length ? "≥ " + limits[i - 1] : limits[i - 1] + "–" + limits[i];
      item.appendChild(document.createElement("bdi")).textContent = range + " %";
    });
  }

  function start(data, words, map) {
    var grouped = window.corridorWords.grouped;
    var chart = document.getElementById("chart"), plot = null, current = null;
    var byId = {};
    data.candidates.forEach(function (candidate) { byId[candidate.id] = candidate; });
    /* A package shows the heights of the route that its journey takes under the rules shown, and says whose they are. */
    var rules = document.getElementById("regime");
    function whose(id) {
      var by = (byId[id] || {}).tripBy || {};  /* of a single route it is empty */
      return by[rules ? rules.value : ""] || by[""] || id;
    }

    function pointed(plot_) {
      var index = plot_.cursor.idx, profile = data.profiles[whose(current)];
      if (index === null || index === undefined || !profile) { map.clear(); return; }
      map.point(profile.lat[index], profile.lon[index]);
    }
    /* The same as a table: a row every tenth of the way. */
    function tabulate(profile) {
      var body = document.getElementById("profile-table").tBodies[0], last = profile.km.length - 1;
      body.textContent = "";
      for (var step = 0; step <= 10; step++) {
        var km = profile.km[last] * step / 10, at = 0;
        while (at < last && profile.km[at] < km) { at++; }
        var row = body.insertRow(), inside = function (span) { return span[1] <= km && km <= span[2]; };
        var country = profile.countries.find(inside), structure = profile.spans.find(inside);
        [km.toFixed(1), grouped(profile.height[at]), country ? words("country." + country[0]) : "", structure ? words("map." + structure[0]) : ""].forEach(function (text, index) {
          var cell = row.insertCell();
          if (index < 2) { cell.className = "n"; window.corridorWords.fresh(cell, text); } else { cell.textContent = text; }
        });
      }
    }
    /* The arrow keys walk along the profile. */
    chart.addEventListener("keydown", function (event) {
      var step = { ArrowRight: 1, ArrowLeft: -1 }[event.key], profile = data.profiles[whose(current)];
      if (!step || !plot) { return; }
      event.preventDefault();
      var last = profile.km.length - 1, now = plot.cursor.idx === null || plot.cursor.idx === undefined ? (step > 0 ? 0 : last) : plot.cursor.idx;
      now = Math.min(Math.max(now + step * Math.ceil(last / 50), 0), last);
      plot.setCursor({ left: plot.valToPos(profile.km[now], "x"), top: plot.valToPos(profile.height[now], "y") });
      document.getElementById("profile-at").textContent = words("profile.at", { km: profile.km[now].toFixed(1), height: grouped(profile.height[now]) });
    });
    function show(id) {
      var of = whose(id), profile = data.profiles[of];
      current = id;
      if (plot) { plot.destroy(); plot = null; }
      map.clear();
      chart.parentNode.hidden = !profile;
      nameGrades(profile, words);
      if (!profile) { return; }
      tabulate(profile);
      var top = Math.max.apply(null, profile.height), low = Math.min.apply(null, profile.height);
      var package_ = of === id ? "" : words("profile.of_package", { letter: byId[id].letter, by: byId[of].letter }) + " ";
      document.getElementById("profile-words").textContent = package_ + words("profile.words", {
        letter: byId[of].letter, name: byId[of].words, km: grouped(Math.round(profile.km[profile.km.length - 1])), top: grouped(top), low: grouped(low) });
      plot = new uPlot({
        width: chart.clientWidth || 600, height: 230, plugins: [shade(profile)],
        legend: { show: true, live: true }, hooks: { setCursor: [pointed] },
        scales: { x: { time: false, range: [0, profile.km[profile.km.length - 1]] },
          y: { range: function (_, min, max) { return [Math.min(0, min), Math.max(max * 1.2, 500)]; } } },
        axes: [{ stroke: INK, label: words("profile.chainage"), labelSize: 22, size: 36, grid: { stroke: corridorTheme.gridline } },
          { stroke: INK, label: words("profile.height"), labelSize: 22, size: 54,
            values: function (_, splits) { return splits.map(grouped); }, grid: { stroke: corridorTheme.gridline } }],
        series: [{ label: words("unit.km"), value: function (_, v) { return v === null ? "–" : window.corridorWords.number(v.toFixed(1)); } },
          { label: words("profile.ground"), stroke: corridorTheme.ground_line, width: 1, fill: corridorTheme.ground_fill,
            value: function (_, v) { return v === null ? "–" : grouped(v) + " " + words("unit.m"); } },
          { label: words("profile.route"), stroke: byId[of].colour, width: 2,
            value: function (_, v) { return v === null ? "–" : grouped(v) + " " + words("unit.m"); } }]
      }, [profile.km, profile.ground, profile.height], chart);
    }
    function near(id, latlng) {
      var profile = data.profiles[whose(id)], best = -1, least = Infinity;
      if (!plot || id !== current) { return; }
      profile.lat.forEach(function (lat, i) {
        var d = Math.pow(lat - latlng.lat, 2) + Math.pow((profile.lon[i] - latlng.lng) * 0.78, 2);
        if (d < least) { least = d; best = i; }
      });
      plot.setCursor({ left: plot.valToPos(profile.km[best], "x"), top: plot.valToPos(profile.height[best], "y") });
    }
    document.addEventListener("corridor:choose", function (event) {
      current = event.detail.id;
      if (event.detail.quiet) { setTimeout(function () { show(current); }); } else { show(current); } // the first once the page stands
    });
    document.addEventListener("corridor:over", function (event) { near(event.detail.id, event.detail.latlng); });
    document.addEventListener("corridor:language", function () { if (current) { show(current); } });
    document.addEventListener("corridor:regime", function () { if (current && whose(current) !== current) { show(current); } });
    var waiting = null;
    new ResizeObserver(function () {
      clearTimeout(waiting);
      waiting = setTimeout(function () {
        if (plot && chart.clientWidth && plot.width !== chart.clientWidth) { plot.setSize({ width: chart.clientWidth, height: 230 }); }
      }, 60);
    }).observe(chart.parentNode);
    return { show: show, resize: function (width) { if (plot) { plot.setSize({ width: width, height: 190 }); } } };
  }
  return { start: start };
})();
