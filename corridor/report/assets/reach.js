/* Minutes to the border crossing by place, before and after the chosen route: a curtain, a limit, and what is cut off. */
"use strict";
var corridorReach = (function () {
  var BANDS = [[60, 0], [180, 1], [360, 2], [Infinity, 3]];

  function start(data, map, words) {
    var box = document.getElementById("reach");
    if (!box || !data.places.length) { return; }
    var on = document.getElementById("reach-on"), when = document.getElementById("reach-when");
    var limit = document.getElementById("reach-limit"), minutes = document.getElementById("reach-minutes");
    var said = document.getElementById("reach-said"), group = L.layerGroup(), curtain = document.createElement("div");
    var now = { id: "", regime: "" };
    box.hidden = false;
    curtain.className = "curtain";
    curtain.hidden = true;
    map.getContainer().appendChild(curtain);

    function later() {
      var found = {};
      ((data.by[now.id] || {})[now.regime] || []).forEach(function (change) { found[change[0]] = change[1]; });
      return found;
    }
    function band(value) {
      return BANDS.find(function (step) { return value < step[0]; })[1];
    }
    function look(value) {
      if (value === null) { return { radius: 6, color: corridorTheme.lost, weight: 2.5, fillColor: corridorTheme.paper, fillOpacity: 0.9 }; }
      var near = value <= Number(limit.value);
      return { radius: near ? 6 : 4, color: corridorTheme.place_edge, weight: near ? 1.6 : 0.6,
        fillColor: corridorTheme.grades[band(value)], fillOpacity: near ? 0.95 : 0.35 };
    }
    function text(value) { return value === null ? words.get("cut.crossing") : words.get("reach.minutes", { minutes: String(Math.round(value)) }); }
    function show() {
      minutes.textContent = words.get("reach.minutes", { minutes: limit.value });
      group.clearLayers();
      curtain.hidden = !on.checked;
      when.disabled = limit.disabled = !on.checked;
      said.textContent = "";
      if (!on.checked) { group.remove(); return; }
      var after = later(), edge = map.getSize().x * Number(when.value) / 100, within = [0, 0], cut = 0, slower = 0;
      curtain.style.left = edge + "px";
      data.places.forEach(function (place, index) {
        var old = place[3], fresh = index in after ? after[index] : old;
        within[0] += old <= Number(limit.value);
        within[1] += fresh !== null && fresh <= Number(limit.value);
        cut += fresh === null;
        slower += fresh !== null && fresh - old >= 1;
        var left = map.latLngToContainerPoint([place[1], place[2]]).x < edge;
        var ring = L.circleMarker([place[1], place[2]], Object.assign({ pane: "cutoff", bubblingMouseEvents: false }, look(left ? fresh : old)));
        ring.bindTooltip(function () {
          var tip = document.createElement("div");
          tip.className = "tip";
          tip.appendChild(document.createElement("strong")).appendChild(document.createElement("bdi")).textContent = words.text(place[0]);
          [[words.get("reach.before"), text(old)], [words.get("reach.after"), text(fresh)]].forEach(function (line) {
            tip.appendChild(document.createElement("br"));
            tip.appendChild(document.createElement("span")).textContent = line[0] + ": " + line[1];
          });
          return tip;
        });
        group.addLayer(ring);
      });
      group.addTo(map);
      said.textContent = words.get("reach.said", { minutes: limit.value, before: String(within[0]), after: String(within[1]),
        cut: String(cut), slower: String(slower), of: String(data.places.length) });
    }
    [on, when, limit].forEach(function (control) { control.addEventListener("input", show); });
    map.on("moveend zoomend resize", function () { if (on.checked) { show(); } });
    document.addEventListener("corridor:choose", function (event) { now.id = event.detail.id; show(); });
    document.addEventListener("corridor:regime", function (event) { now.regime = event.detail.regime; show(); });
    document.addEventListener("corridor:language", show);
    var regime = document.getElementById("regime");
    now.regime = regime ? regime.value : "";
    show();
  }
  return { start: start };
})();
