/* Sorting of the comparison table, and its further columns; data-sort of the table tells by which column, with "-" for falling. */
"use strict";
var corridorTable = (function () {
  function start() {
    var table = document.getElementById("metrics"), body = table.tBodies[0];
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);

    function number(row, index) {
      var text = row.cells[index].dataset.value;
      return text === undefined ? null : Number(text);
    }
    function sort(index, falling) {
      var rising = falling === undefined ? heads[index].getAttribute("aria-sort") !== "ascending" : !falling;
      var rows = Array.prototype.slice.call(body.rows);
      rows.sort(function (a, b) {
        var x = number(a, index), y = number(b, index);
        if (x === null || y === null) { return (x === null) - (y === null); }
        return rising ? x - y : y - x;
      });
      rows.forEach(function (row) { body.appendChild(row); });
      heads.forEach(function (head, k) {
        if (head.hasAttribute("aria-sort")) { head.setAttribute("aria-sort", k !== index ? "none" : rising ? "ascending" : "descending"); }
      });
      table.dataset.sort = index + (rising ? "" : "-");
      document.dispatchEvent(new CustomEvent("corridor:sorted"));
    }
    document.addEventListener("corridor:sort", function (event) {
      var index = parseInt(event.detail.by, 10);
      if (heads[index] && heads[index].querySelector(".sort")) { sort(index, /-$/.test(event.detail.by)); }
    });
    heads.forEach(function (head, index) {
      var button = head.querySelector(".sort");
      if (button) { button.addEventListener("click", function () { sort(index); }); }
    });
    document.getElementById("all-columns").addEventListener("change", function (event) {
      table.classList.toggle("all", event.target.checked);
    });
  }
  return { start: start };
})();
