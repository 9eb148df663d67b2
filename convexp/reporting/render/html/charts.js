// Charts: a point shows its numbers, and an entry of a legend isolates its series in all charts. Without this script the charts
// are whole, and browsers show the titles of points.
{
  const NEAR = 2.5; // points of a chart this near to each other are read together
  const MOST = 5;

  const tip = document.createElement("div");
  tip.className = "tip";
  tip.id = "tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  const said = document.createElement("p");
  said.className = "said";
  said.setAttribute("role", "status");

  const place = (mark) => [Number(mark.getAttribute("cx")), Number(mark.getAttribute("cy"))];
  const isShown = (mark) => !mark.classList.contains("away");

  // The words of a point, and of the others that lie under it.
  function words(mark) {
    const [x, y] = place(mark);
    const near = [...mark.parentNode.children].filter((other) => {
      const [a, b] = place(other);
      return other !== mark && isShown(other) && Math.hypot(a - x, b - y) <= NEAR;
    });
    const lines = [mark, ...near].map((each) => each.getAttribute("aria-label"));
    return lines.length > MOST ? [...lines.slice(0, MOST - 1), `and ${lines.length - MOST + 1} more here`] : lines;
  }

  function show(mark) {
    tip.replaceChildren(
      ...words(mark).map((line) => {
        const part = document.createElement("div");
        part.textContent = line;
        return part;
      }),
    );
    tip.hidden = false;
    const box = mark.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    const left = Math.min(Math.max(box.x + box.width / 2 - tip.offsetWidth / 2, 8), width - tip.offsetWidth - 8);
    const above = box.y - tip.offsetHeight - 6;
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${(above < 4 ? box.bottom + 6 : above) + scrollY}px`;
    mark.setAttribute("aria-describedby", "tip");
  }

  // Of points that lie over each other, the one nearest to the pointer.
  function nearest(group, event) {
    const box = group.ownerSVGElement.getBoundingClientRect();
    const scale = group.ownerSVGElement.viewBox.baseVal.width / box.width;
    const far = (mark) => {
      const [x, y] = place(mark);
      return Math.hypot(x - (event.clientX - box.x) * scale, y - (event.clientY - box.y) * scale);
    };
    return [...group.children].filter(isShown).reduce((a, b) => (far(b) < far(a) ? b : a), event.target);
  }

  let pointed = null;

  function point(mark) {
    if (mark === pointed) return;
    pointed?.classList.remove("pointed");
    mark?.classList.add("pointed");
    pointed = mark;
    hide();
    if (mark) show(mark);
  }

  function hide() {
    tip.hidden = true;
    for (const mark of document.querySelectorAll(".marks [aria-describedby]")) mark.removeAttribute("aria-describedby");
  }

  // The arrows go from point to point of a chart, which is one stop of the Tab key.
  function step(event) {
    const marks = [...event.target.parentNode.children].filter(isShown);
    const at = marks.indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: marks.length - 1 };
    if (event.key === "Escape") hide();
    if (!(event.key in to)) return;
    event.preventDefault();
    const next = marks[(to[event.key] + marks.length) % marks.length];
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  function makePoints(group) {
    for (const mark of group.children) {
      mark.setAttribute("role", "img");
      mark.setAttribute("aria-label", mark.querySelector("title").textContent);
      mark.replaceChildren(); // the browser's own tooltip would come on top
      mark.tabIndex = -1;
      mark.addEventListener("focus", () => show(mark));
      mark.addEventListener("blur", hide);
      mark.addEventListener("keydown", step);
    }
    group.firstElementChild.tabIndex = 0;
    group.addEventListener("pointermove", (event) => point(nearest(group, event)));
    group.addEventListener("pointerleave", () => point(null));
  }

  // In all charts of the page or, in a report of several parts, of the part: the keys of another part are of other series.
  function isolate(pressed) {
    const { key, name } = pressed.dataset;
    const own = pressed.closest("details.part");
    const scope = own ?? document;
    const isolated = pressed.getAttribute("aria-pressed") === "true" ? null : key;
    for (const part of scope.querySelectorAll(".chart [data-keys]")) {
      part.classList.toggle("away", isolated !== null && !part.dataset.keys.split(" ").includes(isolated));
    }
    for (const pick of scope.querySelectorAll(".picks [data-key]")) {
      pick.setAttribute("aria-pressed", String(pick.dataset.key === isolated));
    }
    for (const marks of scope.querySelectorAll(".marks")) keepStop(marks);
    const where = own ? "in the charts of this part" : "in all charts";
    said.textContent = isolated === null ? "All series are shown." : `Only ${name} is shown, ${where}. Press again to show all.`;
  }

  // One point that is shown can be reached by the Tab key.
  function keepStop(marks) {
    const shown = [...marks.children].filter(isShown);
    if (shown.some((mark) => mark.tabIndex === 0)) return;
    for (const mark of marks.children) mark.tabIndex = -1;
    if (shown.length > 0) shown[0].tabIndex = 0;
  }

  function makeButton(pick) {
    pick.setAttribute("role", "button");
    pick.setAttribute("aria-pressed", "false");
    pick.setAttribute("aria-label", `show only ${pick.dataset.name}`);
    pick.tabIndex = 0;
    pick.addEventListener("click", () => isolate(pick));
    pick.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      isolate(pick);
    });
  }

  for (const chart of document.querySelectorAll(".chart [role=img]")) {
    if (chart.querySelector(".marks > *, .picks > *")) chart.setAttribute("role", "group"); // its parts can be reached
  }
  document.querySelectorAll(".marks").forEach(makePoints);
  document.querySelectorAll(".picks > *").forEach(makeButton);
  document.documentElement.classList.add("lively");
  document.body.append(tip, said);
}
