// Draws a stream's sentiment over time from the page's own numbers; the table behind it says the same.

const figure = document.getElementById("chart");
const data = JSON.parse(document.getElementById("chart-data").textContent);
const SERIES = ["negative", "neutral", "positive"];
const COLOURS = { negative: "--bad", neutral: "--edge", positive: "--good" };
const DASHES = { negative: [], neutral: [2, 4], positive: [8, 4] };
const HEIGHT = 220;
let drawn = null;

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const width = () => figure.clientWidth - 2 * parseFloat(getComputedStyle(figure).paddingLeft);

function axis() {
  return { stroke: token("--soft"), grid: { stroke: token("--line"), width: 1 }, ticks: { stroke: token("--line") } };
}

function draw() {
  drawn?.destroy();
  drawn = new uPlot(
    {
      width: width(),
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      series: [
        { label: figure.dataset.time },
        ...SERIES.map((name) => ({
          label: figure.dataset[name],
          stroke: token(COLOURS[name]),
          width: 2,
          dash: DASHES[name],
          points: { show: data.at.length < 40, size: 5 },
        })),
      ],
      axes: [axis(), { ...axis(), incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] }],
      scales: { y: { range: (_, low, high) => [0, Math.max(high * 1.1, 4)] } },
    },
    [data.at, ...SERIES.map((name) => data[name])],
    figure,
  );
}

draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
addEventListener("resize", () => drawn.setSize({ width: width(), height: HEIGHT }));
