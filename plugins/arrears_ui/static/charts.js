/* Draws the figures that the page carries, in the style sheet's colours, and again when the theme changes. */
(() => {
  const SETTINGS = { displayModeBar: false, responsive: true };

  function colours() {
    const style = getComputedStyle(document.documentElement);
    return (name) => style.getPropertyValue(`--${name}`).trim();
  }

  function dressed(value, colour) {
    if (value === "$heat") return [[0, colour("heat0")], [0.5, colour("heat1")], [1, colour("heat2")]];
    if (typeof value === "string") return value.startsWith("$") ? colour(value.slice(1)) : value;
    if (Array.isArray(value)) return value.map((each) => dressed(each, colour));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, dressed(each, colour)]));
    }
    return value;
  }

  function axis(given, colour) {
    const title = given?.title ? { ...given.title, font: { size: 12, color: colour("muted") }, standoff: 8 } : undefined;
    return {
      automargin: true, fixedrange: true, gridcolor: colour("line"), zerolinecolor: colour("line"),
      linecolor: colour("line"), tickfont: { size: 12, color: colour("muted") }, ...given, title,
    };
  }

  function draw() {
    const colour = colours();
    const font = { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("ink") };
    for (const place of document.querySelectorAll(".chart[data-figure]")) {
      const figure = JSON.parse(place.dataset.figure);
      const layout = dressed(figure.layout, colour);
      for (const name of Object.keys(layout).filter((key) => /^[xy]axis/.test(key)).concat("xaxis", "yaxis")) {
        layout[name] = axis(figure.layout[name], colour);
      }
      Plotly.react(place, dressed(figure.data, colour), {
        margin: { l: 8, r: 16, t: 24, b: 8 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
        font, dragmode: false, bargap: 0.28,
        hoverlabel: { bgcolor: colour("surface"), bordercolor: colour("line"), font: { ...font, size: 12 } },
        ...layout,
      }, SETTINGS).then(() => { place.dataset.drawn = document.documentElement.dataset.theme; });
    }
  }

  draw();
  window.addEventListener("arrears-theme", draw);
})();
