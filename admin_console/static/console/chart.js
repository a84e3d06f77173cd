// Draws the table of a chart as lines. The table is the data and stays for whoever would rather read; without this script
// it is all there is. Colours are the stylesheet's tokens, so that light and dark follow the page.

const UNITS = {
  share: (value) => `${+(100 * value).toFixed(1)} %`,
  ms: (value) => (value < 1000 ? `${Math.round(value)} ms` : `${+(value / 1000).toFixed(1)} s`),
  s: (value) => `${Math.round(value)} s`,
};
const LINES = ["--accent", "--warn", "--bad", "--good", "--edge", "--ink"];
const DOTS = 40; // more are not told apart
const language = document.documentElement.lang;

function draw(figure) {
  const [head, ...rows] = figure.querySelectorAll("tr");
  const names = [...head.cells].slice(1).map((cell) => cell.textContent);
  const times = rows.map((row) => Number(row.querySelector("[data-at]").dataset.at));
  const lines = names.map((_, place) => rows.map((row) => number(row.cells[place + 1].dataset.value)));
  const place = figure.querySelector(".plot");
  if (!names.length) return;
  let plot = null;
  const renew = () => {
    plot?.destroy();
    plot = new uPlot(options(figure, place, names, times), [times, ...lines], place);
  };
  renew();
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: plot.height })).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", renew);
}

const number = (text) => (text === undefined ? null : Number(text));

function options(figure, place, names, times) {
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = { stroke: token("--soft"), grid: { stroke: token("--line"), width: 1 }, ticks: { show: false } };
  const told = UNITS[figure.dataset.unit] ?? ((value) => value.toLocaleString(language));
  const days = times.at(-1) - times[0] > 3 * 86400;
  const clock = new Intl.DateTimeFormat(language, {
    timeZone: "UTC",
    ...(days ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  });
  const dated = new Intl.DateTimeFormat(language, { timeZone: "UTC", dateStyle: "medium", timeStyle: "short" });
  return {
    width: place.clientWidth,
    height: 220,
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    scales: { y: { range: (_, low, high) => [Math.min(low ?? 0, 0), (high || 1) * 1.05] } },
    axes: [
      { ...axis, values: (_, at) => at.map((second) => clock.format(second * 1000)) },
      { ...axis, size: 72, values: (_, values) => values.map(told) },
    ],
    series: [
      { label: "UTC", value: (_, at) => (at == null ? "–" : dated.format(at * 1000)) },
      ...names.map((label, line) => ({
        label,
        stroke: token(LINES[line % LINES.length]),
        width: 2,
        dash: line < 3 ? undefined : [6, 4],
        points: { show: times.length <= DOTS },
        value: (_, value) => (value == null ? "–" : told(value)),
      })),
    ],
  };
}

for (const figure of document.querySelectorAll("[data-chart]")) draw(figure);
