/* Words of the page in the chosen language; what a language lacks is shown in English. The same rules as report/i18n.py. */
"use strict";
window.corridorWords = (function () {
  var messages = {}, language = "en";
  var RIGHT_TO_LEFT = ["fa", "ar", "he"], COMMA = ["ru", "hy", "az"];
  var FIGURE = /^[+\u2212(]?\d[\d\u202f]*(\.\d+)?( ?[\u2013(] ?\u2212?\d[\d\u202f]*(\.\d+)?)*\)?( ?%)?$/;
  var given = new WeakMap();

  function rightToLeft() { return RIGHT_TO_LEFT.indexOf(language) >= 0; }

  function own(key) { return messages[language] && messages[language][key]; }
  function entry(key) { return own(key) || (messages.en && messages.en[key]); }

  /* A value is text, a message {t: key, or: text, fill}, or {all: several values, by: key of what stands between}. */
  function resolve(value) {
    if (value && value.all) { return list(value.all.map(resolve), entry(value.by || "list.semicolon")); }
    if (value && typeof value === "object") { return known(value.t) ? get(value.t, value.fill) : value.or; }
    return text(String(value));
  }
  /* A text of the data in the chosen language, where it has words for it; figures with the language's decimal sign. */
  function text(value) {
    var found = own("text:" + value);
    return typeof found === "string" ? found : number(value);
  }
  function number(value) {
    return COMMA.indexOf(language) >= 0 && FIGURE.test(value) ? value.replace(/(\d)\.(?=\d)/g, "$1,") : value;
  }
  /* A number by thousands, with a true minus. */
  function grouped(value) { return String(value).replace("-", "\u2212").replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f"); }
  function list(items, patterns) {
    if (items.length < 2) { return items.join(""); }
    return items.slice(1).reduce(function (text, item, index) {
      var pair = [text, item];
      return (index < items.length - 2 ? patterns.between : patterns.last).replace(/\{([01])\}/g, function (whole, side) { return pair[side]; });
    }, items[0]);
  }
  /* "a" or "an", by how the word or number is spoken; see corridor/wording.py. */
  function article(text) {
    var an = /^(?:(?!(?:one|once|uni(?!n|m)|us[aeiu]|eu)\w*)[aeiou]|8|1[18](?!\d)|1[18](?=,\d{3}\b))/i;
    return (an.test(text) ? "an " : "a ") + text;
  }
  /* A value inside a sentence: with a small letter, each item of a list; names that begin with two capitals keep them. */
  function small(text) {
    var second = text.charAt(1);
    if (second !== second.toLowerCase()) { return text; }
    return (text.charAt(0) === "\u0130" ? "i" : text.charAt(0).toLocaleLowerCase(language)) + text.slice(1);
  }
  function inside(value) {
    if (value && value.all) { return list(value.all.map(inside), entry(value.by || "list.semicolon")); }
    return small(resolve(value));
  }
  /* Texts by plural form are chosen by the value "count", by the rules of the language that the text is in. */
  function form(texts, values, code) {
    var count = Number(values && values.count) || 0;
    return texts[new Intl.PluralRules(code).select(count)] || texts.other;
  }
  /* Values go in isolated where the text runs from right to left. */
  function fill(text, values) {
    return text.replace(/\{(?:(a|l):)?(\w+)\}/g, function (whole, as, key) {
      if (!values || !(key in values)) { return whole; }
      var value = as === "l" ? inside(values[key]) : resolve(values[key]);
      if (as === "a") { value = article(value); }
      if (!value || !rightToLeft()) { return value; }
      return (/[\u0590-\u08ff]/.test(value) ? "\u2067" : "\u2066") + value + "\u2069";
    }).replace(/ \(\)/g, "").replace(/ +([,:․])/g, "$1");
  }
  function get(key, values) {
    var text = entry(key);
    if (text === undefined) { return key; }
    return fill(typeof text === "string" ? text : form(text, values, own(key) ? language : "en"), values);
  }
  function known(key) { return Boolean(entry(key)); }

  function each(selector, work) { Array.prototype.forEach.call(document.querySelectorAll(selector), work); }

  function apply() {
    document.documentElement.lang = language;
    document.documentElement.dir = rightToLeft() ? "rtl" : "ltr";
    each("[data-i18n]", function (node) {
      if (known(node.dataset.i18n)) {
        node.textContent = get(node.dataset.i18n, node.dataset.values ? JSON.parse(node.dataset.values) : {});
      }
    });
    each("[data-text], .n, .range", say);
    each("[data-i18n-label]", function (node) {
      node.setAttribute("aria-label", get(node.dataset.i18nLabel));
      if (node.title) { node.title = get(node.dataset.i18nLabel); }
    });
    each("[data-i18n-title]", function (node) { node.title = get(node.dataset.i18nTitle); });
    each("[data-i18n-placeholder]", function (node) { node.placeholder = get(node.dataset.i18nPlaceholder); });
    document.dispatchEvent(new CustomEvent("corridor:language"));
  }
  /* A node that holds a text of the data: as it was given, or in the chosen language. */
  function say(node) {
    if (!given.has(node)) { given.set(node, node.textContent); }
    var plain = given.get(node), shown = text(plain.trim());
    node.textContent = shown;
    if (shown !== plain.trim() || node.classList.contains("n")) { node.removeAttribute("lang"); } else { node.lang = "en"; }
  }
  /* The same for a text that comes anew. */
  function fresh(node, plain) {
    given.set(node, plain);
    say(node);
  }
  /* Put a message into a node, so that it changes with the language. */
  function put(node, message) {
    node.dataset.i18n = message.t;
    node.dataset.values = JSON.stringify(message.fill || {});
    node.textContent = known(message.t) ? get(message.t, message.fill) : text(message.or);
  }
  function choose(code) { if (messages[code]) { language = code; apply(); } }

  var page = document.getElementById("page-data");
  if (page) { messages = JSON.parse(page.textContent).messages; }

  return { get: get, known: known, text: text, number: number, grouped: grouped, put: put, fresh: fresh, resolve: resolve, choose: choose, apply: apply,
    language: function () { return language; } };
})();
