/* Words of the interface in the chosen language; what a language lacks is shown in English. */
"use strict";
window.corridorWords = (function () {
  var messages = {}, language = "en";
  var RIGHT_TO_LEFT = ["fa", "ar", "he"];

  function rightToLeft() { return RIGHT_TO_LEFT.indexOf(language) >= 0; }

  /* A value is text, a message {t: key, or: text, fill}, or {all: several values}. */
  function resolve(value) {
    if (value && value.all) { return value.all.map(resolve).join("; "); }
    if (value && typeof value === "object") { return known(value.t) ? get(value.t, value.fill) : value.or; }
    return String(value);
  }
  /* Values go in isolated where the text runs from right to left. */
  function fill(text, values) {
    return text.replace(/\{(\w+)\}/g, function (whole, key) {
      if (!values || !(key in values)) { return whole; }
      var value = resolve(values[key]);
      if (!value || !rightToLeft()) { return value; }
      return (/[\u0590-\u08ff]/.test(value) ? "\u2067" : "\u2066") + value + "\u2069";
    }).replace(" ()", "").replace(/ +([,:․])/g, "$1");
  }
  function get(key, values) {
    var text = (messages[language] && messages[language][key]) || (messages.en && messages.en[key]);
    return text === undefined ? key : fill(text, values);
  }
  function known(key) { return Boolean((messages[language] && messages[language][key]) || (messages.en && messages.en[key])); }

  function each(selector, work) { Array.prototype.forEach.call(document.querySelectorAll(selector), work); }

  function apply() {
    document.documentElement.lang = language;
    document.documentElement.dir = rightToLeft() ? "rtl" : "ltr";
    each("[data-i18n]", function (node) {
      if (known(node.dataset.i18n)) {
        node.textContent = get(node.dataset.i18n, node.dataset.values ? JSON.parse(node.dataset.values) : {});
      }
    });
    each("[data-i18n-label]", function (node) {
      node.setAttribute("aria-label", get(node.dataset.i18nLabel));
      if (node.title) { node.title = get(node.dataset.i18nLabel); }
    });
    each("[data-i18n-title]", function (node) { node.title = get(node.dataset.i18nTitle); });
    each("[data-i18n-placeholder]", function (node) { node.placeholder = get(node.dataset.i18nPlaceholder); });
    document.dispatchEvent(new CustomEvent("corridor:language"));
  }
  function choose(code) { if (messages[code]) { language = code; apply(); } }

  var page = document.getElementById("page-data");
  if (page) { messages = JSON.parse(page.textContent).messages; }

  return { get: get, known: known, resolve: resolve, choose: choose, apply: apply,
    language: function () { return language; } };
})();
