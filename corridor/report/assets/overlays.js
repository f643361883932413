/* What lies under and over the routes: the north-south axes, and places that the chosen route cuts off. */
"use strict";
var corridorOverlays = (function () {
  var AXIS = "#e2a9c8";

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
          box.appendChild(node("bdi", name));
          box.appendChild(document.createElement("br"));
        });
        box.appendChild(node("span", words("map.axis") + " · " + words("status." + axis.status)));
        return box;
      }, { sticky: true });
      group.addLayer(line);
    });
    return group.addTo(map);
  }

  /* Places that lose a way under the chosen route and regime: a red ring; its tooltip says what is lost, by how many. */
  function drawCutOff(group, data, words, id, regime) {
    group.clearLayers();
    ((data.cutOff[id] || {})[regime] || []).forEach(function (place) {
      var ring = L.circleMarker([place[1], place[2]], { pane: "cutoff", radius: place[5] ? 6 : 3.5, color: "#c1121f",
        weight: place[5] ? 2.5 : 1.6, fillColor: place[5] ? "#c1121f" : "#fff", fillOpacity: place[5] ? 0.75 : 0.85, bubblingMouseEvents: false });
      ring.bindTooltip(function () {
        var box = node("div", "");
        box.className = "tip";
        box.appendChild(node("strong", "")).appendChild(node("bdi", place[0]));
        [place[4] ? words("cut.crossing") : "", place[5] ? words("cut.centre") + ": " + place[6] : "",
          place[3] ? words("cut.people") + ": " + place[3] : ""].forEach(function (line) {
          if (line) { box.appendChild(document.createElement("br")); box.appendChild(node("span", line)); }
        });
        return box;
      });
      group.addLayer(ring);
    });
  }

  return { drawAxes: drawAxes, drawCutOff: drawCutOff };
})();
