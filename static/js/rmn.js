/* What a page does without asking the server: theme, trees, tabs, palette, shortcuts; and the manners of htmx requests.
   Elements name the act in data-rmn; there are no inline handlers and nothing is evaluated, so script-src 'self' holds. */
(() => {
  "use strict";

  const root = document.documentElement;
  const self = document.currentScript;
  const byId = (id) => document.getElementById(id);

  /* ---- acts named by data-rmn ---- */

  const acts = {
    theme() {
      const theme = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
      root.setAttribute("data-bs-theme", theme);
      try {
        localStorage.setItem("tabler-theme", theme); // the key that tabler-theme.min.js reads before first paint
      } catch {
        // Storage is refused in some private windows; the choice then lasts for this page.
      }
    },
    tree(button) {
      button.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") !== "true"));
      showTreeRows(button.closest("table"));
    },
    tab: selectTab,
    palette: openPalette,
    shortcuts() {
      byId("shortcuts")?.showModal();
    },
    close(button) {
      button.closest("dialog")?.close();
    },
    dismiss(button) {
      button.closest(".callout")?.remove();
    },
    fill(button) {
      for (const [name, value] of Object.entries(JSON.parse(button.dataset.values))) {
        const input = document.querySelector(`[name="${CSS.escape(name)}"]`);
        if (input) input.value = value;
      }
      document.querySelector("form [type=submit]")?.focus();
    },
    async copy(button) {
      await navigator.clipboard.writeText(button.dataset.text);
      const label = button.querySelector("[data-label]");
      if (label) label.textContent = "Copied";
    },
    print() {
      window.print();
    },
  };

  document.addEventListener("click", (event) => {
    const element = event.target.closest("[data-rmn]");
    const act = element && acts[element.dataset.rmn];
    if (act) act(element);
  });

  document.addEventListener("submit", (event) => {
    const question = event.submitter?.dataset.confirm || event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-rmn-submit]")) event.target.form.requestSubmit();
    showAsked();
  });

  /* ---- fields that only some choices ask for: data-rmn-when="kind:geo sku design:search" ---- */

  function showAsked() {
    for (const box of document.querySelectorAll("[data-rmn-when]")) {
      const fields = box.closest("form").elements;
      let field = null;
      const fits = {}; // every field that is named has to hold one of the values after it
      for (const word of box.dataset.rmnWhen.replace(/:/g, ": ").split(" ")) {
        if (word.endsWith(":")) field = word.slice(0, -1);
        else fits[field] ||= fields[field]?.value === word;
      }
      // What is wrong with a field is never hidden.
      box.hidden = Object.values(fits).includes(false) && !box.querySelector(".form-error");
    }
  }

  /* ---- trees and tabs ---- */

  function showTreeRows(table) {
    const open = {}; // a row shows when every ancestor is expanded; parents come before their children
    for (const row of table.querySelectorAll("tr[data-id]")) {
      const shown = !row.dataset.parent || open[row.dataset.parent];
      const button = row.querySelector(".tree");
      row.hidden = !shown;
      open[row.dataset.id] = shown && (!button || button.getAttribute("aria-expanded") === "true");
    }
  }

  function selectTab(chosen) {
    for (const tab of chosen.closest("[role=tablist]").querySelectorAll("[role=tab]")) {
      const on = tab === chosen;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      byId(tab.getAttribute("aria-controls")).hidden = !on;
    }
  }

  function moveTab(event) {
    const tabs = [...event.target.closest("[role=tablist]").querySelectorAll("[role=tab]")];
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
    selectTab(next);
    next.focus();
  }

  /* ---- palette: every page of the navigation, and the search page where there is one ---- */

  function openPalette() {
    const dialog = byId("palette");
    if (!dialog || dialog.open) return;
    dialog.showModal();
    const input = dialog.querySelector("input");
    input.value = "";
    listHits(dialog, "");
    input.focus();
  }

  function listHits(dialog, text) {
    const words = text.trim().toLowerCase();
    const list = dialog.querySelector(".hits");
    const links = [...document.querySelectorAll(".rmn-nav a, a[data-palette]")].filter((link) =>
      label(link).toLowerCase().includes(words),
    );
    list.replaceChildren(
      ...links.map((link) => hit(link.href, label(link), link.querySelector("svg"), link.dataset.key)),
    );
    if (words && dialog.dataset.search) {
      const address = new URL(dialog.dataset.search, location.href);
      address.searchParams.set("q", text.trim());
      list.append(hit(address.href, `Search for “${text.trim()}”`, null, ""));
    }
    dialog.querySelector(".none").hidden = list.childElementCount > 0;
    markHit(list, 0);
  }

  function label(link) {
    return (link.querySelector("[data-label]") || link).textContent.trim();
  }

  function hit(href, text, picture, key) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = href;
    if (picture) link.append(picture.cloneNode(true));
    link.append(text);
    if (key) {
      const hint = document.createElement("span");
      hint.className = "sm";
      hint.textContent = `g ${key}`;
      link.append(hint);
    }
    item.append(link);
    return item;
  }

  function markHit(list, index) {
    [...list.querySelectorAll("a")].forEach((link, at) => link.setAttribute("aria-selected", String(at === index)));
    list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }

  function movePalette(event, dialog) {
    const list = dialog.querySelector(".hits");
    const links = [...list.querySelectorAll("a")];
    const at = links.findIndex((link) => link.getAttribute("aria-selected") === "true");
    if (event.key === "Enter" && links[at]) location.href = links[at].href;
    else if (event.key === "ArrowDown") markHit(list, Math.min(at + 1, links.length - 1));
    else if (event.key === "ArrowUp") markHit(list, Math.max(at - 1, 0));
    else return;
    event.preventDefault();
  }

  document.addEventListener("input", (event) => {
    const dialog = event.target.closest("#palette");
    if (dialog) listHits(dialog, event.target.value);
  });

  /* ---- keyboard ---- */

  let goUntil = 0;

  function openDates() {
    const button = document.querySelector(".dates-menu > button");
    if (!button) return false;
    button.click();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    const palette = event.target.closest("#palette");
    if (palette) return movePalette(event, palette);
    if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return openPalette();
    }
    if (event.target.matches("[role=tab]") && /^Arrow(Left|Right)$/.test(event.key)) return moveTab(event);
    const typing = event.target.matches("input, textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const now = Date.now();
    const target = now < goUntil && document.querySelector(`.rmn-nav a[data-key="${CSS.escape(event.key)}"]`);
    goUntil = 0;
    if (target) location.href = target.href;
    else if (event.key === "g") goUntil = now + 1000;
    else if (event.key === "/") openPalette();
    else if (event.key === "?") acts.shortcuts();
    else if (event.key !== "d" || !openDates()) return;
    event.preventDefault();
  });

  /* ---- htmx: token on what writes, no polling of a hidden page, no error page inside a panel ---- */

  document.addEventListener("htmx:config:request", (event) => {
    const { request, sourceEvent } = event.detail.ctx;
    if (sourceEvent?.type === "every" && document.hidden) {
      event.preventDefault();
      return;
    }
    if (!/^(GET|HEAD|OPTIONS)$/i.test(request.method)) {
      request.headers["X-CSRFToken"] = document.querySelector("meta[name=csrf-token]")?.content || "";
    }
  });

  document.addEventListener("htmx:before:response", (event) => {
    const { raw } = event.detail.ctx.response;
    if (raw.redirected) {
      event.preventDefault(); // a session that has ended answers a fragment with the sign-in page
      location.reload();
    }
  });

  document.addEventListener("htmx:response:error", (event) => {
    const { response, text } = event.detail.ctx;
    if (response.status !== 422 && response.status !== 409)
      notify(problemText(text) || `The server answered ${response.status}.`);
  });

  document.addEventListener("htmx:error", () =>
    notify("No answer from the server. What you see is the last state received."),
  );

  function problemText(text) {
    try {
      const problem = JSON.parse(text);
      return [problem.detail, problem.fix].filter(Boolean).join(" ");
    } catch {
      return ""; // an HTML error page: its words are for a whole page, not for a notice
    }
  }

  function notify(text) {
    const box = byId("toasts");
    if (!box || box.textContent.includes(text)) return; // a poll that keeps failing says so once
    const notice = document.createElement("div");
    const words = document.createElement("div");
    const button = document.createElement("button");
    notice.className = "callout bad";
    words.textContent = text;
    button.type = "button";
    button.className = "btn btn-ico btn-sm";
    button.dataset.rmn = "dismiss";
    button.textContent = "Dismiss";
    notice.append(words, button);
    box.append(notice);
  }

  /* ---- charts are loaded only where a page has one ---- */

  let chartScripts = null;

  function loadScript(source) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = source;
      script.async = false;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
  }

  function drawCharts() {
    if (!document.querySelector("[data-chart]")) {
      root.dataset.ready = "";
      return;
    }
    chartScripts ||= Promise.all(self.dataset.charts.split(" ").map(loadScript));
    chartScripts.then(
      () => window.rmnCharts.mount(document),
      () => {
        for (const box of document.querySelectorAll("[data-chart]")) {
          box.classList.add("failed");
          box.textContent = box.getAttribute("aria-label");
        }
      },
    );
  }

  function refresh() {
    document.querySelectorAll("table[data-tree]").forEach(showTreeRows);
    showAsked();
    drawCharts();
  }

  refresh();
  document.addEventListener("htmx:after:swap", refresh);
})();
