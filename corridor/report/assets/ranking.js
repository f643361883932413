/* Perspective, weights and regime: the ranking beside the map follows them. */
"use strict";
var corridorRanking = (function () {
  function all(selector, root) { return Array.prototype.slice.call((root || document).querySelectorAll(selector)); }

  var DRAWS = 1000;

  function start(scores, words) {
    var perspective = document.getElementById("perspective"), regime = document.getElementById("regime"), tick = document.getElementById("as-if-opened");
    var sliders = all(".weights input[type=range]"), last = scores["default"];

    /* Each group's share of all weight, to a tenth of a per cent: halves and eighths add up as they are declared. */
    function shares(groupWeights) {
      var total = sliders.reduce(function (sum, slider) { return sum + (groupWeights[slider.dataset.group] || 0); }, 0);
      sliders.forEach(function (slider) {
        var share = total ? Math.round(1000 * (groupWeights[slider.dataset.group] || 0) / total) / 10 : 0;
        var text = window.corridorWords.number(share + " %");
        slider.nextElementSibling.textContent = text;
        slider.setAttribute("aria-valuetext", text);
      });
    }
    function ofSliders() {
      var groups = {};
      sliders.forEach(function (slider) { groups[slider.dataset.group] = Number(slider.value); });
      return groups;
    }
    function show(groupWeights) {
      var within = scores.perspectives[last].within;
      scores.panels.forEach(function (data) {
        var rows = corridorRank.panel(data, scores.criteria, groupWeights, within);
        if (rows) { fill(data, rows); }
        tell(panelOf(data).querySelector(".telling"), corridorRank.telling(data, scores.criteria, groupWeights, within));
      });
      say();
    }
    function tell(node, share) {
      if (!node || share === null) { return; }
      node.dataset.values = JSON.stringify({ share: Math.round(100 * share) });
      node.textContent = words("page.telling", { share: Math.round(100 * share) });
    }
    function fill(data, rows) {
      var box = panelOf(data);
      var list = box.querySelector("ol"), focused = document.activeElement, items = {};
      all("li", list).forEach(function (item) { items[item.dataset.id] = item; });
      rows.forEach(function (row, index) {
        var item = items[row.id];
        item.querySelector(".rank").textContent = corridorRank.ranksText(row, words);
        item.querySelector(".score").textContent = window.corridorWords.number(corridorRank.scoreText(row));
        item.querySelector(".tie").hidden = !row.tied;
        var bars = item.querySelectorAll(".bar span"); // pale up to the best that may be, over that what is sure
        bars[0].style.width = (100 * row.high).toFixed(1) + "%";
        bars[1].style.width = (row.lost ? 0 : 100 * row.low).toFixed(1) + "%";
        if (list.children[index] !== item) { list.insertBefore(item, list.children[index]); }
      });
      if (list.contains(focused)) { focused.focus(); }
    }
    /* How often each route would come first if nothing were known of the weights: worked out panel by panel once the page
       stands, those that are shown first. */
    function shareOfFirsts() {
      var waiting = scores.panels.slice().sort(function (a, b) { return panelOf(a).hidden - panelOf(b).hidden; });
      (function next() {
        var data = waiting.shift();
        if (!data) { return; }
        var shares_ = corridorRank.acceptability(data, scores.criteria, scores.groups, scores.perspectives[last].within, DRAWS);
        all("li", panelOf(data)).forEach(function (item) {
          var share = shares_[item.dataset.id];
          if (share !== undefined) { item.querySelector(".firsts").textContent = Math.round(100 * share) + " %"; }
        });
        setTimeout(next);
      })();
    }
    function panelOf(data) {
      return all(".panel").find(function (node) {
        return node.dataset.regime === data.regime && node.dataset.kind === data.kind && ("opened" in node.dataset) === Boolean(data.opened);
      });
    }
    function say() {
      var first = all(".panel:not([hidden]) .ranks li .name");
      if (first.length) {
        document.getElementById("ranked").textContent = words("page.first_now", { name: first[0].textContent.trim() });
      }
    }
    function fromPerspective() {
      last = perspective.value;
      var groups = scores.perspectives[last].groups;
      sliders.forEach(function (slider) { slider.value = 100 * (groups[slider.dataset.group] || 0); });
      all(".view-note").forEach(function (note) { note.hidden = note.dataset.view !== last; });
      shares(groups);
      show(groups);
    }
    function fromSliders() {
      var groups = ofSliders(), any = sliders.some(function (slider) { return Number(slider.value) > 0; });
      shares(groups);
      if (!any) { document.getElementById("ranked").textContent = words("page.no_weights"); return; }
      perspective.querySelector('option[value=""]').hidden = false;
      perspective.value = "";
      all(".view-note").forEach(function (note) { note.hidden = true; });
      show(groups);
    }
    function fromRegime() {
      all("[data-regime]").forEach(function (node) { node.hidden = [regime.value, "outside"].indexOf(node.dataset.regime) < 0; });
      if (tick) { // of rules that allow no transit one of two rankings is shown: that as it is, or that as if opened
        all(".panel[data-opened]").forEach(function (node) {
          if (node.dataset.regime !== regime.value) { return; }
          all(".panel").forEach(function (other) {
            if (other.dataset.regime === regime.value) { other.hidden = ("opened" in other.dataset) !== tick.checked; }
          });
        });
      }
      document.dispatchEvent(new CustomEvent("corridor:regime", { detail: { regime: regime.value } }));
      var chosen = all(".panel:not([hidden]) li.chosen"), first = all(".panel:not([hidden]) li");
      if (!chosen.length && first.length) {
        document.dispatchEvent(new CustomEvent("corridor:choose", { detail: { id: first[0].dataset.id } }));
      }
      say();
    }
    perspective.addEventListener("change", function () { if (perspective.value) { fromPerspective(); } });
    sliders.forEach(function (slider) { slider.addEventListener("input", fromSliders); });
    document.getElementById("reset").addEventListener("click", function () {
      perspective.value = last;
      fromPerspective();
    });
    if (regime) { regime.addEventListener("change", fromRegime); }
    if (tick) { tick.addEventListener("change", fromRegime); }
    document.addEventListener("corridor:language", function () {
      if (perspective.value) { fromPerspective(); } else { fromSliders(); }
    });
    shares(perspective.value ? scores.perspectives[last].groups : ofSliders());
    setTimeout(shareOfFirsts);
  }
  return { start: start };
})();
