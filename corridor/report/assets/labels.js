/* Names of places without collisions: the most important first, each where it finds room, anew after every move. */
"use strict";
var corridorLabels = (function () {
  var FONT = "600 12px system-ui, 'Segoe UI', 'Noto Sans', sans-serif";
  var HEIGHT = 15, GAP = 5, AREA_PER_LABEL = 9000, MOST_RIVERS = 4;

  function overlaps(a, b) {
    return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  }

  /* Boxes [left, top, right, bottom] for a text of a width beside a point: right, left, above, below. */
  function boxes(point, width) {
    var half = HEIGHT / 2, far = 7;
    return [
      ["right", [point.x + far, point.y - half, point.x + far + width, point.y + half]],
      ["left", [point.x - far - width, point.y - half, point.x - far, point.y + half]],
      ["above", [point.x - width / 2, point.y - far - HEIGHT, point.x + width / 2, point.y - far]],
      ["below", [point.x - width / 2, point.y + far, point.x + width / 2, point.y + far + HEIGHT]]
    ];
  }

  /* Which labels fit: items {x, y, width}, in order of importance; blocked is a list of boxes that must stay free. */
  function place(items, blocked, size, most) {
    var taken = blocked.slice(), kept = [];
    for (var i = 0; i < items.length && kept.length < most; i++) {
      var options = boxes(items[i], items[i].width);
      for (var k = 0; k < options.length; k++) {
        var box = options[k][1];
        var outside = box[0] < 2 || box[1] < 2 || box[2] > size.x - 2 || box[3] > size.y - 2;
        var wide = [box[0] - GAP, box[1] - GAP / 2, box[2] + GAP, box[3] + GAP / 2];
        if (!outside && !taken.some(function (other) { return overlaps(wide, other); })) {
          taken.push(box, [items[i].x - 4, items[i].y - 4, items[i].x + 4, items[i].y + 4]);
          kept.push({ item: items[i], side: options[k][0], box: box });
          break;
        }
      }
    }
    return kept;
  }

  /* A name in the chosen language, where there is one. */
  function inLanguage(name, names) {
    return (names && names[window.corridorWords ? window.corridorWords.language() : "en"]) || name;
  }
  function countryName(code, name) {
    var key = "country." + code;
    return window.corridorWords && window.corridorWords.known(key) ? window.corridorWords.get(key) : name;
  }

  /* The plain name of a river in the chosen language. */
  function riverName(river) {
    var name = inLanguage(river.name, river.names);
    return window.corridorWords ? window.corridorWords.text(name) : name;
  }

  /* A text, number or message of the data in the chosen language. */
  function said(value) {
    if (window.corridorWords) { return window.corridorWords.resolve(value); }
    return value.all ? value.all.map(said).join(" ") : value.or || String(value);
  }

  /* A proper name, which programs that translate pages leave as it is. */
  function properName(text) {
    var node = document.createElement("bdi");
    node.translate = false;
    node.textContent = text;
    return node;
  }

  /* Keep the names of `places` ([name, lat, lon, people, priority, names], most important first) on a map. */
  function attach(map, places, countries, blockedBoxes, rivers) {
    var layer = L.layerGroup(), context = document.createElement("canvas").getContext("2d"), widths = {};
    context.font = FONT;
    function width(name) {
      if (!(name in widths)) { widths[name] = Math.ceil(context.measureText(name).width) + 2; }
      return widths[name];
    }
    /* Names of countries where they collide with nothing; gives their boxes. */
    function nameCountries(blocked, size) {
      return countries.map(function (country) {
        var at = map.latLngToContainerPoint([country[1], country[2]]), name = countryName(country[3], country[0]), half = name.length * 8;
        return { country: country, name: name, box: [at.x - half, at.y - 10, at.x + half, at.y + 10] };
      }).filter(function (entry) {
        var box = entry.box, inside = box[0] > 0 && box[1] > 0 && box[2] < size.x && box[3] < size.y;
        return inside && !blocked.some(function (other) { return overlaps(box, other); });
      }).map(function (entry) {
        var node = properName(entry.name);
        layer.addLayer(L.marker([entry.country[1], entry.country[2]], { pane: "names", interactive: false, keyboard: false,
          icon: L.divIcon({ className: "country", html: node, iconSize: [0, 0] }) }));
        return entry.box;
      });
    }
    /* Names of the longest rivers, each once, where its line has room in the window; gives their boxes. */
    function nameRivers(blocked, size) {
      var taken = blocked.slice(), boxes_ = [];
      rivers.slice(0, MOST_RIVERS).forEach(function (river) {
        var name = riverName(river), half = width(name) / 2, found = null;
        river.lines.forEach(function (line) {
          for (var i = Math.floor(line.length / 2) % 3; i < line.length && !found; i += 3) {
            var at = map.latLngToContainerPoint(line[i]), box = [at.x - half - 3, at.y - 20, at.x + half + 3, at.y - 4];
            var inside = box[0] > 4 && box[1] > 4 && box[2] < size.x - 4 && box[3] < size.y - 4;
            if (inside && !taken.some(function (other) { return overlaps(box, other); })) { found = [line[i], box]; }
          }
        });
        if (!found) { return; }
        var node = properName(name);
        layer.addLayer(L.marker(found[0], { pane: "names", interactive: false, keyboard: false,
          icon: L.divIcon({ className: "river-name", html: node, iconSize: [0, 0] }) }));
        taken.push(found[1]);
        boxes_.push(found[1]);
      });
      return boxes_;
    }
    function refresh() {
      layer.clearLayers();
      if (!map.hasLayer(layer)) { return; }
      var size = map.getSize(), view = map.getBounds().pad(0.02), items = [];
      for (var i = 0; i < places.length; i++) {
        if (view.contains([places[i][1], places[i][2]])) {
          var point = map.latLngToContainerPoint([places[i][1], places[i][2]]);
          var shown = inLanguage(places[i][0], places[i][5]);
          items.push({ x: point.x, y: point.y, width: width(shown), name: shown, place: places[i] });
        }
      }
      var most = Math.max(6, Math.round(size.x * size.y / AREA_PER_LABEL / 2));
      var blocked = blockedBoxes();
      var named = blocked.concat(nameCountries(blocked, size));
      place(items, named.concat(nameRivers(named, size)), size, most).forEach(function (label) {
        var place_ = label.item.place, node = document.createElement("span");
        node.className = "place " + label.side;
        node.appendChild(properName(label.item.name));
        layer.addLayer(L.marker([place_[1], place_[2]], {
          pane: "names", interactive: false, keyboard: false,
          icon: L.divIcon({ className: "place-dot", html: node, iconSize: [6, 6] })
        }));
      });
    }
    map.on("moveend corridor:blocked", refresh); // every zoom and change of size ends in a move
    layer.on("add", refresh);
    document.addEventListener("corridor:language", refresh);
    return { layer: layer, refresh: refresh };
  }

  return { attach: attach, place: place, inLanguage: inLanguage, riverName: riverName, countryName: countryName, said: said };
})();
