
(() => {
  const live = document.getElementById("live");
  if (!live || !window.EventSource) return;
  const events = location.pathname.replace(/\/$/, "") + "/events";
  const query = new URLSearchParams(location.search);
  query.set("after", live.dataset.last);
  const source = new EventSource(events + "?" + query);
  let waiting = false;
  source.addEventListener("timeline", () => {
    if (waiting) return;
    waiting = true;
    setTimeout(async () => {
      waiting = false;
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = fresh.getElementById("live");
      const open = [...live.querySelectorAll("details[open]")].map((d) => d.id);
      live.replaceChildren(...next.childNodes);
      open.forEach((id) => id && live.querySelector("#" + id)?.setAttribute("open", ""));
    }, 150);
  });
})();
