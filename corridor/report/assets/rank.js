/* The weighted sum, ties and ranks: the same rules, in the same order, as corridor/mcda. Pure functions. */
"use strict";
var corridorRank = (function () {
  var ROUNDING = 1e-12;
  var drawn = {};

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

  /* How far two scores may lie apart within tolerance. */
  function width(criteria, weights) {
    return criteria.reduce(function (sum, c, k) {
      return sum + weights[k] * Math.min(c.tolerance / Math.abs(c.worst - c.best), 1);
    }, 0);
  }

  /* Best and worst ranks from ends of scores: own best against the others' worst, and the reverse. Who may be lost is in
     nobody's way at its worst. Between a package and a route that it holds there is no tolerance. */
  function ranks(low, high, lost, wide, holds) {
    return low.map(function (_, i) {
      var best = 1, worst = 1;
      low.forEach(function (_, j) {
        if (j === i) { return; }
        var slack = (holds[i].indexOf(j) < 0 && holds[j].indexOf(i) < 0 ? wide : 0) + ROUNDING;
        if (!lost[j] && low[j] - high[i] > slack) { best += 1; }
        if (high[j] - low[i] > slack) { worst += 1; }
      });
      return { best: best, worst: worst };
    });
  }

  /* A row with its undetermined metrics (null) at the best or at the worst ends for its alternative. */
  function at(data, criteria, row, best) {
    return data.metrics[row].map(function (metric, k) {
      if (metric !== null) { return metric; }
      var low = data.low[row][k], high = data.high[row][k];
      var wanted = (criteria[k].direction === "max") === best ? high : low;
      return wanted === null ? (wanted === high ? low : high) : wanted;
    });
  }

  /* Rank a panel: [{id, rank, worst, lost, first, score, low, high, tied}], best first. */
  function panel(data, allCriteria, groupWeights, within) {
    var criteria = data.criteria.map(function (k) { return allCriteria[k]; });
    var weights = resolve(groupWeights, within, criteria);
    if (!weights) { return null; }
    var lost = data.ids.map(function (_, i) { return !!(data.lost && data.lost[i]); });
    var low = data.ids.map(function (_, i) { return score(at(data, criteria, i, false), criteria, weights); });
    var high = data.ids.map(function (_, i) { return score(at(data, criteria, i, true), criteria, weights); });
    var places = ranks(low, high, lost, width(criteria, weights), data.holds);
    var sure = places.map(function (place, i) { return place.best === place.worst && !lost[i] ? place.best : 0; });
    var rows = data.ids.map(function (id, i) {
      var same = sure.filter(function (rank) { return rank && rank === sure[i]; }).length;
      return {
        id: id, order: i, rank: places[i].best, worst: places[i].worst, lost: lost[i], tied: same > 1,
        first: places[i].best > 1 ? "" : sure[i] ? "sure" : "best",
        score: high[i], low: low[i], high: high[i]
      };
    });
    return rows.sort(function (a, b) {
      return a.rank - b.rank || a.lost - b.lost || a.worst - b.worst || b.high - a.high || a.order - b.order;
    });
  }

  /* Share of the weight that lies on criteria which tell the panel's alternatives apart; null where nothing is weighed. */
  function telling(data, allCriteria, groupWeights, within) {
    var weights = resolve(groupWeights, within, data.criteria.map(function (k) { return allCriteria[k]; }));
    return weights && weights.reduce(function (sum, w, i) {
      return data.silent.indexOf(data.criteria[i]) < 0 ? sum + w : sum;
    }, 0);
  }

  /* Even draws of weights over groups that sum to 1 (flat Dirichlet), the same ones every time. */
  function draws(groups, count) {
    var key = groups.concat(count).join("|");
    return drawn[key] || (drawn[key] = draw(groups, count));
  }
  function draw(groups, count) {
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

  /* Share of the draws under which each alternative of a panel ranks first, a tie split: {id: share}. They sum to 1.
     Where metrics are undetermined, everybody who can be first takes part in the split. */
  function acceptability(data, allCriteria, groups, within, count) {
    var firsts = {}, ranked = 0;
    data.ids.forEach(function (id) { firsts[id] = 0; });
    draws(groups, count).forEach(function (weights) {
      var rows = panel(data, allCriteria, weights, within);
      if (!rows) { return; }
      ranked += 1;
      var leading = rows.filter(function (row) { return row.rank === 1; });
      leading.forEach(function (row) { firsts[row.id] += 1 / leading.length; });
    });
    Object.keys(firsts).forEach(function (id) { firsts[id] = ranked ? firsts[id] / ranked : 0; });
    return firsts;
  }

  /* 2, 1\u20134, or "1 or not ranked". */
  function ranksText(row, words) {
    if (row.lost) { return words("page.rank_or_not", { rank: row.rank }); }
    return row.rank === row.worst ? String(row.rank) : row.rank + "\u2013" + row.worst;
  }

  function scoreText(row) {
    var high = row.high.toFixed(3).replace("-", "\u2212"), low = row.low.toFixed(3).replace("-", "\u2212");
    return row.lost ? "\u2264 " + high : low === high ? high : low + (row.low < 0 ? " \u2013 " : "\u2013") + high;
  }

  return { panel: panel, telling: telling, ranksText: ranksText, scoreText: scoreText, acceptability: acceptability, ranks: ranks, resolve: resolve, score: score, width: width, value: value };
})();
if (typeof module !== "undefined") { module.exports = corridorRank; }
