/* Distance along points that the reader sets: by mouse or touch, or with Enter at the middle of the map. */
"use strict";
var corridorMeasure = (function () {
  function attach(map, words) {
    var line = null, points = [], button, output;

    function show() {
      var metres = 0;
      for (var i = 1; i < points.length; i++) { metres += map.distance(points[i - 1], points[i]); }
      output.textContent = corridorLabels.said((metres / 1000).toFixed(metres < 10000 ? 2 : 1)) + " " + words("unit.km");
      line.setLatLngs(points);
    }
    function add(latlng) { points.push(latlng); show(); }
    function onClick(event) { add(event.latlng); }
    function onKey(event) {
      if (event.key === "Enter" && event.target === map.getContainer()) { add(map.getCenter()); }
      if (event.key === "Escape") { stop(); }
    }
    function start() {
      points = [];
      line = L.polyline([], { color: corridorTheme.mark, weight: 3, dashArray: "1 6", interactive: false }).addTo(map);
      output.hidden = false;
      output.textContent = words("map.measure.hint");
      button.setAttribute("aria-pressed", "true");
      map.getContainer().classList.add("measuring");
      map.on("click", onClick);
      map.getContainer().addEventListener("keydown", onKey);
    }
    function stop() {
      if (!line) { return; }
      map.removeLayer(line);
      line = null;
      output.hidden = true;
      button.setAttribute("aria-pressed", "false");
      map.getContainer().classList.remove("measuring");
      map.off("click", onClick);
      map.getContainer().removeEventListener("keydown", onKey);
    }
    var Control = L.Control.extend({
      options: { position: "topleft" },
      onAdd: function () {
        var box = L.DomUtil.create("div", "leaflet-bar map-tool");
        button = L.DomUtil.create("button", "", box);
        button.type = "button";
        button.textContent = "↔";
        button.dataset.i18nLabel = "map.measure";
        button.title = words("map.measure");
        button.setAttribute("aria-label", words("map.measure"));
        button.setAttribute("aria-pressed", "false");
        output = L.DomUtil.create("output", "measured", box);
        output.hidden = true;
        L.DomEvent.disableClickPropagation(box);
        L.DomEvent.on(button, "click", function () { if (line) { stop(); } else { start(); } });
        return box;
      }
    });
    return new Control().addTo(map);
  }
  return { attach: attach };
})();
