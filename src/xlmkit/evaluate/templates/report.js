// A press on a language brings out its marks everywhere on the page; another press lets go of it.
const chosen = new Set();
for (const button of document.querySelectorAll("[data-bring]")) {
  button.addEventListener("click", () => {
    const key = button.dataset.bring;
    if (!chosen.delete(key)) chosen.add(key);
    document.body.classList.toggle("choosing", chosen.size > 0);
    for (const twin of document.querySelectorAll("[data-bring]"))
      twin.setAttribute("aria-pressed", chosen.has(twin.dataset.bring));
    for (const mark of document.querySelectorAll("[data-key]"))
      mark.classList.toggle("chosen", chosen.has(mark.dataset.key));
  });
}
