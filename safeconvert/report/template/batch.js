"use strict";
// Shows the rows that fit all filters; without scripts all are shown.
const rows = [...document.querySelectorAll("tbody tr")];
const filters = [...document.querySelectorAll("[data-filter]")];
const words = document.querySelector("[data-words]");
function narrow() {
  let shown = 0;
  for (const row of rows) {
    const fits = filters.every((filter) => !filter.value || row.dataset[filter.dataset.filter].split("\n").includes(filter.value));
    const named = row.cells[0].textContent.toLowerCase().includes(words.value.toLowerCase());
    row.hidden = !(fits && named);
    shown += row.hidden ? 0 : 1;
  }
  document.querySelector("[data-count]").textContent = String(shown);
}
for (const control of [...filters, words]) control.addEventListener("input", narrow);
