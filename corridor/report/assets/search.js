/* What the search finds: places by any of their names, roads, border crossings, structures and routes; parts of words too. */
"use strict";
var corridorSearch = (function () {
  function fold(text) {
    return text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[ıİ]/g, "i").replace(/[’'`ʻ]/g, "").trim();
  }
  /* A name of the data as it is given and in the chosen language, to be looked for. */
  function both(name) { return [fold(name.or || name), fold(corridorLabels.said(name))]; }
  /* Everything that has a name: [folded names, shown name, position, route]; anew for each language. */
  function index(data) {
    var language = window.corridorWords ? window.corridorWords.language() : "en";
    if (data.found && data.foundIn === language) { return data.found; }
    var also = {}, found = [];
    data.foundIn = language;
    Object.keys(data.aliases).forEach(function (other) { (also[data.aliases[other]] = also[data.aliases[other]] || []).push(other); });
    data.places.forEach(function (place) {
      var names = [place[0]].concat(Object.keys(place[5] || {}).map(function (code) { return place[5][code]; }), also[place[0]] || []);
      found.push([names.map(fold), place, [place[1], place[2]], ""]);
    });
    data.named.forEach(function (one) {
      found.push([one[0].map(fold).concat(both(one[0][0])), [one[0][0]], [one[1], one[2]], ""]);
    });
    data.events.forEach(function (event) {
      if (event.structure && event.at) { found.push([both(event.structure), [event.structure], event.at, ""]); }
    });
    data.crossings.forEach(function (one) { found.push([both(one.name), [one.name], [one.lat, one.lon], ""]); });
    data.candidates.forEach(function (one) {
      found.push([both(one.name), [one.name], one.at, one.id]);
      one.parts.forEach(function (part) {
        found.push([both(part.name), [part.name], part.line[Math.floor(part.line.length / 2)], ""]);
      });
      one.spans.forEach(function (span) {
        found.push([both(span.name), [span.name], span.line[Math.floor(span.line.length / 2)], ""]);
      });
    });
    (data.axes || []).forEach(function (axis) {
      axis.names.forEach(function (name) { found.push([both(name), [name], axis.line[Math.floor(axis.line.length / 2)], ""]); });
    });
    (data.roads || []).forEach(function (road) {
      var names = [road.ref, road.name].filter(Boolean), line = road.lines[0];
      if (names.length) { found.push([names.map(fold), [names.join(" ")], line[Math.floor(line.length / 2)], ""]); }
    });
    (data.rivers || []).forEach(function (river) {
      var names = [river.name].concat(Object.keys(river.names || {}).map(function (code) { return river.names[code]; }), corridorLabels.riverName(river));
      found.push([names.map(fold), [river.name, 0, 0, 0, 0, river.names], river.lines[0][Math.floor(river.lines[0].length / 2)], ""]);
    });
    data.found = found;
    return found;
  }
  /* The best hit: the whole name before its beginning, that before the beginning of a word, that before any part, and all
     words in any order last. */
  function find(data, name) {
    var asked = fold(name), parts = asked.split(/\s+/), best = null, least = 5;
    if (!asked) { return null; }
    index(data).forEach(function (entry) {
      entry[0].forEach(function (own) {
        var at = own.indexOf(asked);
        var rank = own === asked ? 0 : at === 0 ? 1 : at > 0 && /[\s\-–(,]/.test(own[at - 1]) ? 2 : at > 0 && asked.length > 2 ? 3 : 5;
        if (rank === 5 && parts.length > 1 && parts.every(function (part) { return own.indexOf(part) >= 0; })) { rank = 4; }
        if (rank < least) { least = rank; best = entry; }
      });
    });
    if (!best) { return null; }
    return { name: corridorLabels.said(corridorLabels.inLanguage(best[1][0], best[1][5])), at: best[2], route: best[3] };
  }
  return { find: find };
})();
