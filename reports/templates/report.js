"use strict";
(() => {
  const get = (id) => document.getElementById(id);
  const cards = [...document.querySelectorAll("#cards > .flip")];
  const form = get("filters");
  const count = (number) => number.toLocaleString("en");
  const ROOM = { cards: 25, table: 200 };
  const STEP = 100;
  let room = ROOM.cards;
  let pinned = null;

  const words = new Map();
  const wordsOf = (card) => {
    if (!words.has(card)) words.set(card, card.textContent.toLowerCase());
    return words.get(card);
  };
  const chosen = (id) => (get(id) ? get(id).value : "");
  const data = (id) => (get(id) ? get(id).selectedOptions[0].dataset : {});
  const filters = form ? [...form.querySelectorAll("select[data-filter]")] : [];
  const fields = form ? [...form.querySelectorAll("select, input")] : [];
  const nameOf = (field) => field.id.slice("by-".length);

  function wanted() {
    const letters = data("by-show").k;
    const level = data("by-level").k || "0";
    const cells = [...letters].map((letter) => level + letter);
    const noise = chosen("by-noise");
    const parts = chosen("by-q").toLowerCase().split(/\s+/).filter(Boolean);
    const asked = filters.filter((one) => one.value).map((one) => {
      const key = one.selectedOptions[0].dataset.k;
      if (one.dataset.filter !== "part") return [key, [one.dataset.filter]];
      return [key, [...(letters.includes("b") ? ["part"] : []), ...(letters.includes("f") ? ["won"] : [])]];
    });
    return (card) =>
      card.dataset.cells.split(" ").some((cell) => cells.includes(cell)) &&
      asked.every(([key, names]) => names.some((name) => (card.dataset[name] || "").split(" ").includes(key))) &&
      (!noise || (noise === "only") === "n" in card.dataset) &&
      parts.every((part) => wordsOf(card).includes(part));
  }

  /* How many of all examples fit: known where little is chosen. */
  function known() {
    if (chosen("by-q").trim() || chosen("by-noise")) return null;
    const picked = filters.filter((one) => one.value);
    const flipped = data("by-show").k === "bf";
    const main = !get("by-level") || get("by-level").selectedIndex === 0;
    if (!picked.length && main) return Number(data("by-show").of);
    if (!picked.length && flipped) return Number(data("by-level").of);
    return picked.length === 1 && main && flipped ? Number(picked[0].selectedOptions[0].dataset.of) : null;
  }

  function status(found, shown) {
    const { listed, of } = data("by-show");
    const find = "compat-eval diff RUN searches all of them.";
    const all = known();
    const rest = Number(of) - Number(listed);
    const tail = `${count(shown)} shown.`;
    if (all !== null && all !== found) return `${count(found)} listed of ${count(all)} examples fit; ${tail} ${find}`;
    if (all === null && rest > 0) return `${count(found)} of ${count(Number(listed))} listed examples fit; ${tail} ${count(rest)} more are not listed: ${find}`;
    if (found === 0) return "No example fits. Reset to see them all.";
    return `${count(found)} ${found === 1 ? "example fits" : "examples fit"}; ${tail}`;
  }

  const START = 140;
  const start = (text) => (text.length > START ? `${text.slice(0, START)}…` : text);
  const plain = (box) => start([...box.childNodes].filter((one) => !["SMALL", "DETAILS"].includes(one.nodeName)).map((one) => one.textContent).join(""));
  const said = (box) => plain(box) || start([...box.querySelectorAll("small")].map((one) => one.textContent).join(" "));
  const textOf = (card, name) => {
    for (const one of card.querySelectorAll(".tree")) {
      if (one.querySelector("h4").firstChild.data.trim() === name) return start([...one.querySelectorAll("li, p")].map((line) => line.textContent).join("; "));
    }
    for (const one of card.querySelectorAll("dl > div")) {
      if (one.querySelector("dt").firstChild.data.trim() === name) return said(one.querySelector("dd"));
    }
    return "";
  };
  const golds = cards.some((card) => textOf(card, "Gold"));
  function rowOf(card) {
    const row = document.createElement("tr");
    const link = card.querySelector("h3 a").cloneNode(true);
    const drawn = [...card.querySelectorAll(".changes li")].map((one) => one.textContent).join("; ");
    const head = document.createElement("th");
    head.scope = "row";
    head.append(link);
    row.append(head);
    const texts = [
      card.querySelector(".what").textContent,
      plain(card.querySelector(".text")),
      ...(golds ? [textOf(card, "Gold")] : []),
      drawn ? start(drawn) : `${textOf(card, "Old")} → ${textOf(card, "New")}`,
    ];
    for (const text of texts) {
      const cell = document.createElement("td");
      cell.dir = "auto";
      cell.textContent = cell.title = text;
      row.append(cell);
    }
    row.className = card.classList.contains("broken") ? "broken" : card.classList.contains("fixed") ? "fixed" : "";
    return row;
  }
  function draw(list) {
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    for (const title of ["Example", "Became", "Input", ...(golds ? ["Gold"] : []), "Old → new"]) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = title;
      head.append(cell);
    }
    table.createTBody().append(...list.map(rowOf));
    get("rows").replaceChildren(table);
  }

  function show() {
    const fits = wanted();
    const table = chosen("by-view") === "table";
    const list = cards.filter(fits);
    const shown = new Set(list.slice(0, room));
    if (table) draw([...shown]);
    get("rows").hidden = !table;
    get("cards").hidden = table;
    for (const card of cards) {
      const hide = !shown.has(card) && card !== pinned;
      if (card.hidden !== hide) card.hidden = hide;
    }
    get("status").textContent = status(list.length, shown.size);
    get("more").hidden = list.length <= room;
  }

  /* What is chosen stands in the address, so that it can be shared and gone back to. */
  function address() {
    const query = new URLSearchParams();
    for (const field of fields) {
      const idle = field.options ? field.selectedIndex === 0 : !field.value.trim();
      if (!idle) query.set(nameOf(field), field.value);
    }
    const text = query.toString().replace(/\+/g, "%20");
    return text ? `#flips?${text}` : "#flips";
  }
  function choose(text) {
    const query = new URLSearchParams(text);
    for (const field of fields) {
      const value = query.get(nameOf(field));
      if (!field.options) field.value = value || "";
      else field.selectedIndex = Math.max(0, value === null ? 0 : [...field.options].findIndex((one) => one.value === value));
    }
  }
  const anew = () => {
    room = ROOM[chosen("by-view") || "cards"];
    pinned = null;
    show();
  };
  let here = null;
  function follow() {
    const hash = location.hash;
    if (hash === here) return;
    here = hash;
    if (hash === "" || hash.startsWith("#flips")) {
      choose(hash.split("?").slice(1).join("?"));
      anew();
      if (hash.includes("?")) get("filters").scrollIntoView({ block: "start" });
      return;
    }
    const card = get(hash.slice(1));
    if (!card || !card.classList.contains("flip")) return;
    pinned = card;
    if (get("by-view")) get("by-view").selectedIndex = 0;
    show();
    card.scrollIntoView({ block: "center" });
    card.querySelector("h3 a").focus({ preventScroll: true });
  }

  if (form) {
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    const changed = (replace) => {
      here = address();
      if (replace) location.replace(here);
      else location.hash = here;
    };
    form.addEventListener("change", (event) => {
      if (event.target.id === "by-q") return;
      anew();
      changed(false);
    });
    let later = 0;
    get("by-q").addEventListener("input", () => {
      anew();
      clearTimeout(later);
      later = setTimeout(() => changed(true), 300);
    });
    form.addEventListener("reset", () => setTimeout(() => {
      anew();
      changed(false);
    }));
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
    get("cards").addEventListener("keydown", (event) => {
      const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
      const place = event.target.closest(".flip");
      if (!step || !place || event.ctrlKey || event.metaKey || event.altKey) return;
      const seen = cards.filter((card) => !card.hidden);
      const next = seen[seen.indexOf(place) + step];
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
