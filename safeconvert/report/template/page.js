"use strict";
// Tables sort by the column whose heading is pressed; charts tell what they are pointed at. Without this all is still there.
const value = cell => {
  const content = cell.dataset.value ?? cell.textContent.trim();
  const number = Number(content === "inf" ? Infinity : content);
  return content !== "" && !Number.isNaN(number) ? number : content;
};
const compare = (one, two) =>
  typeof one === "number" && typeof two === "number" ? one - two : String(one).localeCompare(String(two));
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      headings.forEach(other => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => (down ? -1 : 1) * compare(value(a.cells[column]), value(b.cells[column])));
      table.tBodies[0].append(...rows);
    });
  });
}
for (const chart of document.querySelectorAll("svg.chart[id]")) {
  const output = document.querySelector(`output[data-for="${chart.id}"]`);
  if (!output) continue;
  chart.addEventListener("pointermove", event => {
    let best = null, nearest = Infinity;
    for (const dot of chart.querySelectorAll("circle")) {
      const box = dot.getBoundingClientRect();
      const away = Math.abs(box.x + box.width / 2 - event.clientX) + 0.2 * Math.abs(box.y + box.height / 2 - event.clientY);
      if (away < nearest) [best, nearest] = [dot, away];
    }
    output.textContent = best ? best.querySelector("title").textContent : "";
  });
}
