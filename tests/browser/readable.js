// Gives what a person with weak sight or a screen reader would stumble over on this page.
() => {
  const faults = [];
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, under) => ({
    r: top.r * top.a + under.r * (1 - top.a),
    g: top.g * top.a + under.g * (1 - top.a),
    b: top.b * top.a + under.b * (1 - top.a),
    a: 1,
  });
  const light = ({ r, g, b }) => {
    const part = (v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ground = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), { r: 255, g: 255, b: 255, a: 1 });
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const holder = node.parentElement;
    if (!node.data.trim() || !holder.checkVisibility()) continue;
    if (["SCRIPT", "STYLE", "OPTION"].includes(holder.tagName)) continue;
    const back = ground(holder);
    const front = over(parse(getComputedStyle(holder).color), back);
    const [high, low] = [light(front), light(back)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)}: ${node.data.trim().slice(0, 40)}`);
  }
  for (const field of document.querySelectorAll("input:not([type=hidden]),select,textarea"))
    if (!field.labels.length) faults.push(`no label: ${field.name}`);
  for (const area of document.querySelectorAll("section"))
    if (!area.ariaLabel && !document.getElementById(area.getAttribute("aria-labelledby")))
      faults.push("a section without a name");
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  if (new Set(ids).size !== ids.length) faults.push("an id is used twice");
  const levels = [...document.querySelectorAll("h1,h2,h3,h4")].map((node) => +node.tagName[1]);
  if (levels.filter((level) => level === 1).length !== 1) faults.push("not one h1");
  levels.forEach((level, n) => n && level > levels[n - 1] + 1 && faults.push("a heading level is skipped"));
  if (!document.documentElement.lang || !document.title) faults.push("no language or title");
  if (document.querySelectorAll("main").length !== 1) faults.push("not one main");
  for (const target of document.querySelectorAll("button,summary,select,input:not([type=hidden])"))
    if (target.checkVisibility() && target.getBoundingClientRect().height < 24) faults.push("a target is too small");
  if (document.documentElement.scrollWidth > innerWidth) faults.push("the page is wider than the screen");
  return faults;
}
