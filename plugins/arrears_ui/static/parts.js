/* Brings in a part of a page that takes longer than the rest; without this script its link opens it. */
(() => {
  for (const place of document.querySelectorAll("[data-part]")) {
    fetch(place.dataset.part, { credentials: "same-origin" })
      .then((answer) => answer.text())
      .then((text) => {
        const part = new DOMParser().parseFromString(text, "text/html").getElementById("part");
        if (part) place.replaceChildren(document.adoptNode(part));
      })
      .catch(() => { /* the link stays */ });
  }
})();
