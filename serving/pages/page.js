// What a page without scripts cannot do: add rows, swap units, and assess while you type.
"use strict";

const form = document.getElementById("patient");
const live = document.getElementById("live");

function unitsFor(row, analyte) {
  const units = row.querySelector('[data-column="unit"]');
  const known = document.querySelector(`template[data-units="${CSS.escape(analyte)}"]`);
  if (!units || !known) return;
  const before = units.value;
  units.replaceChildren(known.content.cloneNode(true));
  if ([...units.options].some((option) => option.value === before)) units.value = before;
}

function doseUnitFor(row, drug) {
  const unit = row.querySelector('[data-column="dose_unit"]');
  const route = drug.selectedOptions[0]?.dataset.route;
  if (unit && route === "infusion") unit.value = "mg";
  if (unit && route === "oral") unit.value = "mg/d";
}

function addRow(table) {
  const rows = document.querySelector(`.table.${table} .rows`);
  const last = rows.lastElementChild;
  const number = 1 + Math.max(...[...rows.querySelectorAll("[name]")].map((f) => Number(f.name.split(".")[1])));
  const added = last.cloneNode(true);
  for (const hidden of added.querySelectorAll('input[type="hidden"], .why')) hidden.remove();
  for (const field of added.querySelectorAll("[name]")) {
    const [, , column] = field.name.split(".");
    field.name = `${table}.${number}.${column}`;
    field.id = field.name;
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
    if (field.tagName === "INPUT") field.value = "";
    else field.value = last.querySelector(`[data-column="${column}"]`).value;
  }
  added.setAttribute("aria-label", rows.dataset.row.replace("#", rows.children.length + 1));
  rows.append(added);
  added.querySelector("[name]").focus();
}

let asking = null;
let waiting = 0;

async function assess() {
  asking?.abort();
  asking = new AbortController();
  const told = document.getElementById("told");
  const sent = new FormData(form);
  sent.delete("files");
  sent.set("do", "assess");
  live.textContent = form.dataset.wait;
  told.setAttribute("aria-busy", "true");
  try {
    const response = await fetch("/", { method: "POST", body: sent, signal: asking.signal, cache: "no-store" });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById("told");
    if (!fresh) throw new Error(String(response.status));
    const open = new Set([...told.querySelectorAll("details[open] > summary")].map((s) => s.textContent));
    for (const summary of fresh.querySelectorAll("details > summary")) {
      if (open.has(summary.textContent)) summary.parentElement.open = true;
    }
    told.replaceChildren(...fresh.childNodes);
    const number = told.querySelector(".number, .verdict");
    live.textContent = `${live.dataset.done} ${number ? number.textContent.trim() : ""}`;
  } catch (error) {
    if (error.name === "AbortError") return;
    live.textContent = form.dataset.failed;
  }
  told.removeAttribute("aria-busy");
}

form.addEventListener("change", (event) => {
  const field = event.target;
  const row = field.closest(".row");
  if (field.dataset.column === "analyte") unitsFor(row, field.value);
  if (field.dataset.column === "drug") doseUnitFor(row, field);
  if (!document.body.classList.contains("answered") || field.closest(".open")) return;
  clearTimeout(waiting);
  waiting = setTimeout(assess, 250);
});

for (const button of document.querySelectorAll("[data-add]")) {
  button.hidden = false;
  button.addEventListener("click", () => addRow(button.dataset.add));
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

const edit = document.querySelector("details.edit");
if (edit && window.matchMedia("(max-width: 1239px)").matches) edit.open = false;
document.querySelector('[href="#entered"]')?.addEventListener("click", () => {
  if (edit) edit.open = true;
});

document.querySelector(".errors")?.focus();
