/* The weighted sum, ties and ranks: the same rules, in the same order, as corridor/scoring. Pure functions. */
"use strict";
var corridorRank = (function () {
  var ROUNDING = 1e-12;

  function value(metric, criterion) {
    var loss = (metric - criterion.best) / (criterion.worst - criterion.best);
    loss = Math.min(Math.max(loss, 0), 1);
    return 1 - (criterion.shape === 1 ? loss : Math.pow(loss, criterion.shape));
  }

  /* One weight per criterion that takes part, summing to 1: group weights times shares within the group. A group of
     which nobody takes part gives its weight to the others. Null where nothing is left to weigh. */
  function resolve(groupWeights, within, criteria) {
    var sums = {}, counts = {}, total = 0;
    criteria.forEach(function (c) {
      sums[c.group] = (sums[c.group] || 0) + (within[c.id] || 0);
      counts[c.group] = (counts[c.group] || 0) + 1;
    });
    var weights = criteria.map(function (c) {
      var share = sums[c.group] > 0 ? (within[c.id] || 0) / sums[c.group] : 1 / counts[c.group];
      return (groupWeights[c.group] || 0) * share;
    });
    weights.forEach(function (w) { total += w; });
    return total > 0 ? weights.map(function (w) { return w / total; }) : null;
  }

  function score(metrics, criteria, weights) {
    return criteria.reduce(function (sum, c, k) { return sum + weights[k] * value(metrics[k], c); }, 0);
  }

  /* How far a score moves when all metrics move through their tolerance. */
  function width(metrics, criteria, weights) {
    function moved(sign) {
      return metrics.map(function (m, k) {
        var half = 0.5 * (criteria[k].direction === "max" ? criteria[k].tolerance : -criteria[k].tolerance);
        return m + sign * half;
      });
    }
    return score(moved(1), criteria, weights) - score(moved(-1), criteria, weights);
  }

  function ranks(scores, widths) {
    var order = scores.map(function (_, i) { return i; });
    order.sort(function (a, b) { return scores[b] - scores[a] || a - b; });
    var out = [], leader = -1;
    order.forEach(function (who, position) {
      var apart = leader < 0 || scores[leader] - scores[who] > 0.5 * (widths[leader] + widths[who]) + ROUNDING;
      if (apart) { leader = who; out[who] = position + 1; } else { out[who] = out[leader]; }
    });
    return out;
  }

  /* Rank a panel: [{id, rank, score, tied}], best first. */
  function panel(data, allCriteria, groupWeights, within) {
    var criteria = data.criteria.map(function (k) { return allCriteria[k]; });
    var weights = resolve(groupWeights, within, criteria);
    if (!weights) { return null; }
    var scores = data.metrics.map(function (row) { return score(row, criteria, weights); });
    var widths = data.metrics.map(function (row) { return width(row, criteria, weights); });
    var places = ranks(scores, widths);
    var rows = data.ids.map(function (id, i) {
      var same = places.filter(function (place) { return place === places[i]; }).length;
      return { id: id, rank: places[i], score: scores[i], tied: same > 1 };
    });
    return rows.sort(function (a, b) { return a.rank - b.rank || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0); });
  }

  /* Even draws of weights over groups that sum to 1 (flat Dirichlet), the same ones every time. */
  function draws(groups, count) {
    var state = 20240229, out = [];
    function random() {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state + 0.5) / 4294967296;
    }
    for (var i = 0; i < count; i++) {
      var weights = {}, sum = 0;
      groups.forEach(function (group) { weights[group] = -Math.log(random()); sum += weights[group]; });
      groups.forEach(function (group) { weights[group] /= sum; });
      out.push(weights);
    }
    return out;
  }

  /* Share of the draws under which each alternative of a panel ranks first: {id: share}. */
  function acceptability(data, allCriteria, groups, within, count) {
    var firsts = {}, ranked = 0;
    data.ids.forEach(function (id) { firsts[id] = 0; });
    draws(groups, count).forEach(function (weights) {
      var rows = panel(data, allCriteria, weights, within);
      if (!rows) { return; }
      ranked += 1;
      rows.forEach(function (row) { if (row.rank === 1) { firsts[row.id] += 1; } });
    });
    Object.keys(firsts).forEach(function (id) { firsts[id] = ranked ? firsts[id] / ranked : 0; });
    return firsts;
  }

  return { panel: panel, acceptability: acceptability, ranks: ranks, resolve: resolve, score: score, width: width, value: value };
})();
if (typeof module !== "undefined") { module.exports = corridorRank; }
