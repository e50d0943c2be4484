"use strict";
(() => {
  const get = (id) => document.getElementById(id);
  const cards = [...document.querySelectorAll("#cards > .flip")];
  const form = get("filters");
  const FIRST = 25;
  const STEP = 100;
  let room = FIRST;
  let pinned = null;

  const words = new Map();
  const wordsOf = (card) => {
    if (!words.has(card)) words.set(card, card.textContent.toLowerCase());
    return words.get(card);
  };
  const chosen = (id) => (get(id) ? get(id).value : "");

  function wanted() {
    const cell = chosen("by-cell");
    const slice = chosen("by-slice");
    const gold = chosen("by-gold");
    const pair = chosen("by-pair");
    const noise = chosen("by-noise");
    const parts = chosen("by-text").toLowerCase().split(/\s+/).filter(Boolean);
    return (card) =>
      (!cell || card.classList.contains(cell) || card.dataset.also === cell) &&
      (!slice || (card.dataset.s || "").split(" ").includes(slice)) &&
      (!gold || card.dataset.g === gold) &&
      (!pair || card.dataset.p === pair) &&
      (!noise || (noise === "only") === "n" in card.dataset) &&
      parts.every((part) => wordsOf(card).includes(part));
  }

  /* How many of all flipped examples fit: known where at most one thing is chosen. */
  function known() {
    const picked = [...form.querySelectorAll("select")].filter((one) => one.value);
    if (picked.length > 1 || chosen("by-text").trim()) return null;
    const { of } = picked.length ? picked[0].selectedOptions[0].dataset : form.dataset;
    return of === undefined ? null : Number(of);
  }

  function status(found, shown) {
    const said = (number) => number.toLocaleString("en");
    const unlisted = Number(form.dataset.unlisted);
    const of = unlisted ? known() : found;
    const all = said(cards.length);
    const find = "compat-eval diff RUN searches all of them.";
    if (of === null && found === 0) {
      return `None of the ${all} listed examples fits. ${said(unlisted)} more flipped and are not listed: ${find}`;
    }
    if (of === null) {
      return `${said(found)} of ${all} listed examples fit; ${said(shown)} shown. ${said(unlisted)} more flipped and are not listed: ${find}`;
    }
    if (of === 0) return "No flipped example fits. Reset to see them all.";
    if (found === 0) return `${said(of)} flipped examples fit, but none of them is listed: ${find}`;
    const some = found < of ? `${said(found)} listed of ${said(of)}` : found === cards.length ? `All ${all}` : `${said(found)} of ${all}`;
    return `${some} flipped examples fit; ${said(shown)} shown.`;
  }

  function show() {
    const fits = wanted();
    let found = 0;
    let shown = 0;
    for (const card of cards) {
      const fit = fits(card);
      if (fit) found += 1;
      card.hidden = !((fit && found <= room) || card === pinned);
      if (fit && !card.hidden) shown += 1;
    }
    get("status").textContent = status(found, shown);
    get("more").hidden = found <= room;
  }

  function choose(id, value) {
    form.reset();
    get(id).value = value;
    room = FIRST;
    pinned = null;
    show();
  }

  function follow() {
    const card = get(location.hash.slice(1));
    if (!card || !card.classList.contains("flip")) return;
    pinned = card;
    show();
    card.scrollIntoView({ block: "center" });
    card.querySelector("h3 a").focus({ preventScroll: true });
  }

  if (form) {
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    const anew = () => {
      room = FIRST;
      pinned = null;
      show();
    };
    form.addEventListener("input", anew);
    form.addEventListener("change", anew);
    form.addEventListener("reset", () => setTimeout(anew));
    get("show-more").addEventListener("click", () => {
      room += STEP;
      show();
    });
    get("show-all").addEventListener("click", () => {
      room = cards.length;
      show();
    });
    show();
    addEventListener("load", () => setTimeout(follow));
    addEventListener("hashchange", follow);
    for (const link of document.querySelectorAll("a[data-slice]")) {
      link.addEventListener("click", () => choose("by-slice", link.dataset.slice));
    }
    for (const link of document.querySelectorAll("a[data-pair]")) {
      link.addEventListener("click", () => choose("by-pair", link.dataset.pair));
    }
    get("cards").addEventListener("keydown", (event) => {
      const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
      const here = event.target.closest(".flip");
      if (!step || !here || event.ctrlKey || event.metaKey || event.altKey) return;
      const seen = cards.filter((card) => !card.hidden);
      const next = seen[seen.indexOf(here) + step];
      if (!next) return;
      event.preventDefault();
      next.querySelector("h3 a").focus();
    });
  }

  const LONG = 20;
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    const more = get("more-slices");
    let whole = body.rows.length <= LONG + 5;
    const trim = () => [...body.rows].forEach((row, i) => { row.hidden = !whole && i >= LONG; });
    if (!whole && more) {
      more.hidden = false;
      const button = more.querySelector("button");
      button.textContent = `Show all ${body.rows.length} slices`;
      button.addEventListener("click", () => {
        whole = true;
        more.hidden = true;
        trim();
      });
    }
    trim();
    const valueOf = (row, column) => {
      const cell = row.cells[column];
      return "v" in cell.dataset ? cell.dataset.v : cell.textContent.replace(/,/g, "");
    };
    for (const head of table.tHead.querySelectorAll("th")) {
      const column = head.cellIndex;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") !== "descending";
        table.tHead.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const numeric = head.classList.contains("num");
        const rank = (a, b) => {
          const x = valueOf(a, column);
          const y = valueOf(b, column);
          if (numeric && (x === "" || y === "")) return (x === "") - (y === "");
          const order = numeric ? x - y : x.localeCompare(y, "en");
          return down ? -order : order;
        };
        body.append(...[...body.rows].sort(rank));
        trim();
      });
    }
  }
})();
