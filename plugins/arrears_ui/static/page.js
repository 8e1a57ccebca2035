/* Before the first paint: as light or dark, and in the language, as the Airflow UI around us. Without this script the
   system's own setting holds, and everything works. */
(() => {
  const root = document.documentElement;

  function airflowTheme() {
    try {
      const outer = window.parent.document.documentElement;
      if (window.parent !== window) {
        if (outer.classList.contains("dark")) return "dark";
        if (outer.classList.contains("light")) return "light";
      }
      const stored = localStorage.getItem("theme") || localStorage.getItem("chakra-ui-color-mode");
      if (stored === "dark" || stored === "light") return stored;
    } catch { /* framed by another origin, or no storage: the system decides */ }
    return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }

  function dress() {
    const theme = airflowTheme();
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    window.dispatchEvent(new CustomEvent("arrears-theme"));
  }

  dress();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
  try {
    if (window.parent !== window) {
      new MutationObserver(dress).observe(window.parent.document.documentElement, { attributeFilter: ["class"] });
    }
    const language = (localStorage.getItem("i18nextLng") || "").startsWith("zh") ? "zh" : "en";
    const chosen = root.dataset.languageChosen === "yes";
    if (!chosen && localStorage.getItem("i18nextLng") && !root.lang.startsWith(language)) {
      const here = new URL(location.href);
      here.searchParams.set("lang", language);
      location.replace(here);
    }
  } catch { /* as above */ }

  document.addEventListener("DOMContentLoaded", () => {
    for (const picked of document.querySelectorAll(".picker select")) {
      picked.addEventListener("change", () => {
        /* Another portfolio has other dates: ask for its newest. */
        if (picked.name === "portfolio") {
          const date = picked.form.elements.namedItem("date");
          if (date) date.disabled = true;
        }
        picked.dataset.changed = "yes";
      });
    }
  });
})();
