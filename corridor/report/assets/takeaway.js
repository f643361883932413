/* Files made from the page itself, with no network: the table as CSV, the chosen route as GeoJSON, the map as PNG. */
"use strict";
var corridorTakeaway = (function () {
  function all(selector, root) { return Array.prototype.slice.call((root || document).querySelectorAll(selector)); }

  function save(name, blob) {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    document.body.appendChild(link);
    link.click();
    document.body.removeChild(link);
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 10000);
  }

  /* A field of a table: quoted where it must be, and never read as a formula. */
  function field(text) {
    var plain = text.replace(/\s+/g, " ").trim();
    if (/^[=+@\t\r]/.test(plain) || (/^-/.test(plain) && isNaN(Number(plain)))) { plain = "'" + plain; }
    return /[",;\n]/.test(plain) ? '"' + plain.replace(/"/g, '""') + '"' : plain;
  }
  function csv() {
    var table = document.getElementById("metrics"), rows = [];
    rows.push(["candidate_id", "regime_id"].concat(all("thead th", table).map(function (head) {
      var unit = head.querySelector(".unit"), name = head.textContent;
      return unit ? name.slice(0, name.length - unit.textContent.length) + " (" + unit.textContent + ")" : name;
    })));
    all("tbody tr", table).forEach(function (row) {
      rows.push([row.dataset.id, row.dataset.regime].concat(all("th, td", row).map(function (cell) {
        return cell.dataset.value === undefined ? cell.textContent : cell.dataset.value;
      })));
    });
    return "\ufeff" + rows.map(function (row) { return row.map(field).join(","); }).join("\r\n") + "\r\n";
  }
  function geojson(candidate) {
    return JSON.stringify({ type: "FeatureCollection", features: candidate.parts.map(function (part) {
      return { type: "Feature",
        properties: { candidate_id: candidate.id, route: candidate.name, part: part.name, status: part.status, length_km: part.km },
        geometry: { type: "LineString", coordinates: part.line.map(function (at) { return [at[1], at[0]]; }) } };
    }) });
  }

  /* The map as it stands: relief, lines, marks and names, drawn one over the other. */
  function png(map, done) {
    var frame = map.getContainer(), box = frame.getBoundingClientRect(), scale = 2;
    var canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
    canvas.width = box.width * scale;
    canvas.height = box.height * scale;
    pen.scale(scale, scale);
    pen.fillStyle = getComputedStyle(frame).backgroundColor;
    pen.fillRect(0, 0, box.width, box.height);
    function at(node) {
      var own = node.getBoundingClientRect();
      return { x: own.left - box.left, y: own.top - box.top, w: own.width, h: own.height };
    }
    var panes = all(".leaflet-map-pane > .leaflet-pane", frame).sort(function (a, b) {
      return Number(getComputedStyle(a).zIndex) - Number(getComputedStyle(b).zIndex);
    });
    var work = [];
    panes.forEach(function (pane) {
      all("img.leaflet-image-layer", pane).forEach(function (image) {
        work.push(function (next) { var b = at(image); pen.drawImage(image, b.x, b.y, b.w, b.h); next(); });
      });
      all("svg", pane).forEach(function (svg) {
        work.push(function (next) {
          var copy = svg.cloneNode(true), b = at(svg), image = new Image();
          copy.removeAttribute("style");
          copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
          image.onload = function () { pen.drawImage(image, b.x, b.y, b.w, b.h); next(); };
          image.onerror = next;
          image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(new XMLSerializer().serializeToString(copy));
        });
      });
      all(".place bdi, .country bdi, .letter, .crossing, .place-dot, .river-name bdi", pane).forEach(function (node) {
        work.push(function (next) { mark(pen, node, at(node)); next(); });
      });
    });
    work.push(function () {
      pen.font = "12px sans-serif";
      pen.fillStyle = corridorTheme.ink;
      pen.textAlign = "left";
      pen.fillText(document.title + " · " + document.getElementById("as-of").textContent, 8, box.height - 8);
      canvas.toBlob(done, "image/png");
    });
    (function next() { work.shift()(next); })();
  }
  function mark(pen, node, b) {
    var style = getComputedStyle(node), round = node.matches(".letter, .place-dot, .crossing.road");
    if (node.matches(".letter, .crossing, .place-dot")) {
      pen.beginPath();
      if (round) { pen.arc(b.x + b.w / 2, b.y + b.h / 2, b.w / 2, 0, 7); } else { pen.rect(b.x, b.y, b.w, b.h); }
      pen.fillStyle = style.backgroundColor;
      pen.fill();
      pen.lineWidth = parseFloat(style.borderTopWidth) || 1;
      pen.strokeStyle = style.borderTopColor;
      pen.stroke();
      if (node.matches(".place-dot")) { return; }
    }
    pen.font = style.fontWeight + " " + style.fontSize + " " + style.fontFamily;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineWidth = 3;
    pen.strokeStyle = corridorTheme.paper;
    if (!node.matches(".letter, .crossing")) { pen.strokeText(node.textContent, b.x + b.w / 2, b.y + b.h / 2); }
    pen.fillStyle = style.color;
    pen.fillText(node.textContent, b.x + b.w / 2, b.y + b.h / 2);
  }

  function start(study, map, candidates, chosen) {
    var make = {
      csv: function () { save(study + "-table.csv", new Blob([csv()], { type: "text/csv" })); },
      geojson: function () {
        var id = chosen(), candidate = candidates.find(function (one) { return one.id === id; });
        save(study + "-" + id + ".geojson", new Blob([geojson(candidate)], { type: "application/geo+json" }));
      },
      png: function () { png(map, function (blob) { save(study + "-map.png", blob); }); }
    };
    all("[data-download]").forEach(function (button) {
      button.addEventListener("click", function () { make[button.dataset.download](); });
    });
  }
  return { start: start };
})();
