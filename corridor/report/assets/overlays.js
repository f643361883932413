/* What lies under and over the routes: the north-south axes. */
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

  return { drawAxes: drawAxes };
})();
