// All works without this script: it adds keys, live parts, and how long ago a time is.
const $ = (s, from = document) => from.querySelector(s);
const all = (s, from = document) => [...from.querySelectorAll(s)];
const live = document.body.dataset.live;

// Times in UTC, with the local time on hover.
const span = s => s < 120 ? `${s} s` : s < 7200 ? `${Math.floor(s / 60)} min` : s < 172800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} d`;
const times = () => all("time").forEach(t => {
  const at = new Date(t.dateTime), s = Math.round((Date.now() - at) / 1000);
  if (!t.dataset.local) { t.dataset.local = 1; t.title += ` · ${at.toLocaleString()} here`; }
  if ("ago" in t.dataset) t.textContent = s < 0 ? `in ${span(-s)}` : `${span(s)} ago`;
});
setInterval(times, 10000);

// What is to be copied has a button.
const copies = () => navigator.clipboard && all("[data-copy]:not([data-copied])").forEach(from => {
  from.dataset.copied = 1;
  const b = Object.assign(document.createElement("button"), {type: "button", textContent: from.dataset.copy, className: "button"});
  b.onclick = async () => { await navigator.clipboard.writeText(from.textContent.trim()); b.textContent = "Copied"; };
  from.after(b);
});
const enhance = () => { times(); copies(); };
enhance();

// The address of an attempt opens it.
const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
if (target) { all("details", target).forEach(d => d.open = true); target.scrollIntoView(); }

// A reload does not show again what was done.
const here = new URL(location);
if (here.searchParams.has("done")) { here.searchParams.delete("done"); history.replaceState(null, "", here); }

// A form is sent once, however often it is clicked.
document.addEventListener("submit", e => {
  if (e.target.dataset.sent) return e.preventDefault();
  if (e.target.method === "post") e.target.dataset.sent = 1;
});
addEventListener("pageshow", () => all("form").forEach(f => delete f.dataset.sent));

// Parts: the page is read again, and what has changed takes its place. A part with the focus or with opened details is left alone.
const busy = p => p.contains(document.activeElement) || $("details[open]:not([data-open])", p);
let reading, again, due, read = 0;
async function refresh() {
  again = clearTimeout(again);
  if (reading || document.hidden || paused()) return;
  reading = true;
  read = Date.now();
  try {
    const r = await fetch(location.href.split("#")[0], {headers: {"Relay-Refresh": 1}});
    if (!r.ok) throw 0;
    const page = new DOMParser().parseFromString(await r.text(), "text/html");
    all("[data-part]").forEach(old => {
      const now = $(`[data-part=${old.dataset.part}]`, page);
      if (!now || busy(old) || old.innerHTML === now.innerHTML) return;
      if (old.dataset.hold !== undefined) return offer(old, now);
      old.replaceWith(now);
    });
    enhance();
    state();
  } catch { state("not reached"); }
  reading = false;
}
// Lists never jump: what is new is offered above them.
function offer(old, now) {
  const n = all("[data-row]", now).filter(r => !$(`[data-row="${r.dataset.row}"]`, old)).length;
  $("#new")?.remove();
  if (!n) return old.replaceWith(now);
  const b = Object.assign(document.createElement("button"), {id: "new", type: "button", textContent: `${n} new – show`, className: "button"});
  b.onclick = () => { old.replaceWith(now); b.remove(); enhance(); };
  old.before(b);
}
// One read for all that happens until then; a list is read every 15 s at most.
function soon(list) {
  const at = Math.max(Date.now() + 700, list ? read + 15000 : 0);
  if (again && due <= at) return;
  clearTimeout(again);
  again = setTimeout(refresh, (due = at) - Date.now());
}

// One stream a tab, closed while nobody looks.
let stream, lost;
const paused = () => sessionStorage.paused > 0;
const state = (text = paused() ? "paused (p)" : ["connecting", "live", "not reached"][stream?.readyState] ?? "by request") => {
  all("[data-live-state]").forEach(e => e.textContent = text);
  all("[data-pause]").forEach(b => b.textContent = paused() ? "Resume" : "Pause");
};
function listen() {
  stream?.close();
  stream = null;
  if (!live || document.hidden || paused()) return state();
  const kinds = new Set(["figures", "health", ...all("[data-on]").map(p => p.dataset.on.split(":")[0]), ...all("[data-tail]").map(() => "attempt")]);
  stream = new EventSource(`${live}${live.includes("?") ? "&" : "?"}kinds=${[...kinds]}`);
  stream.onopen = () => { state(); if (lost) soon(); lost = false; };
  stream.onerror = () => { lost = true; state(); };
  stream.addEventListener("figures", e => {
    const f = JSON.parse(e.data);
    f.oldest = f.oldest_seconds ? span(Math.floor(f.oldest_seconds)) : "–";
    all("[data-count]").forEach(d => {
      const v = f[d.dataset.count], to = $("a", d) ?? d;
      if (v == null) return;
      const text = v.toLocaleString("en");
      if (to.textContent !== text) to.textContent = text;
      if (["failed", "unhealthy"].includes(d.dataset.count)) d.parentElement.classList.toggle("bad", v > 0);
    });
  });
  for (const kind of ["attempt", "replay", "health"]) stream.addEventListener(kind, e => {
    const what = JSON.parse(e.data);
    document.dispatchEvent(new CustomEvent("relay:" + kind, {detail: what}));
    if (kind === "health") $("[data-said]").textContent = `${what.storefront} ${what.destination} is ${what.state}`;
    if (what.at && Date.now() - new Date(what.at) > 1e4) return; // what was before the page
    for (const part of all("[data-on]")) {
      const [on, id] = part.dataset.on.split(":");
      if (on === kind && (!id || id === String(what.event_id ?? what.id))) return soon(!id && kind !== "health");
    }
  });
}
listen();

// The tail has the newest attempts, 500 at most. An attempt that ends takes the place of what it was.
const tail = $("[data-tail] tbody");
if (tail) document.addEventListener("relay:attempt", ({detail: a}) => {
  const row = $("#attempt").content.firstElementChild.cloneNode(true), old = $(`[data-row="${a.id}"]`, tail);
  const shown = {...a, time: a.at.slice(11, 19), why: (a.reason ?? "").replaceAll("_", " "), status: a.status || "", took: a.ms ? `${Math.round(a.ms)} ms` : ""};
  row.dataset.row = a.id;
  $("a", row).href += a.event_id;
  all("[data-f]", row).forEach(c => c.textContent = shown[c.dataset.f] ?? "");
  const state = $("#is-" + CSS.escape(a.outcome));
  $('[data-f="state"]', row).replaceChildren(state?.content.cloneNode(true) ?? a.outcome);
  old ? old.replaceWith(row) : tail.prepend(row);
  if (tail.rows.length > 500) tail.lastElementChild.remove();
});
const pause = () => { sessionStorage.paused = paused() ? 0 : 1; listen(); };
all("[data-pause]").forEach(b => { b.hidden = false; b.onclick = pause; });

document.addEventListener("visibilitychange", () => { listen(); if (!document.hidden) soon(); });
addEventListener("pagehide", () => stream?.close());
setInterval(() => {
  if (stream?.readyState === 2) listen(); // refused: the browser itself does not ask again
  if ($("[data-every]")) refresh();
}, 15000);

// Keys, none of which changes anything.
let g = false, row = -1;
const rows = () => all("[data-row]").filter(r => r.getClientRects().length);
function move(by) {
  const list = rows();
  if (!list.length) return;
  list[row]?.classList.remove("on-row");
  row = Math.max(0, Math.min(list.length - 1, row + by));
  const to = list[row];
  to.classList.add("on-row");
  ($("a", to) ?? to).focus();
  to.scrollIntoView({block: "nearest"});
}
document.addEventListener("keydown", e => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.target.matches("input,select,textarea")) { if (e.key === "Escape") e.target.blur(); return; }
  if (g) {
    g = false;
    const to = $(`[data-key="${CSS.escape(e.key)}"]`);
    if (to) { e.preventDefault(); return to.click(); }
  }
  switch (e.key) {
  case "g": g = true; setTimeout(() => g = false, 1500); return;
  case "/": e.preventDefault(); return $("#search")?.focus();
  case "j": return move(1);
  case "k": return move(-1);
  case "p": return pause();
  case "?": return $("[data-keys]")?.click();
  }
});
