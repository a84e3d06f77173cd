// What changes from one text to another, word by word (Han characters one by one).

const WORDS = /\p{Script=Han}|[^\s\p{Script=Han}]+|\s+/gu;

/** Pieces `{kind: "same" | "gone" | "new", text}` by the longest common subsequence. */
export function diff(before, after) {
  const [a, b] = [before.match(WORDS) ?? [], after.match(WORDS) ?? []];
  const longest = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      longest[i][j] = a[i] === b[j] ? longest[i + 1][j + 1] + 1 : Math.max(longest[i + 1][j], longest[i][j + 1]);
  const pieces = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) pieces.push({ kind: "same", text: (j++, a[i++]) });
    else if (i < a.length && (j === b.length || longest[i + 1][j] >= longest[i][j + 1]))
      pieces.push({ kind: "gone", text: a[i++] });
    else pieces.push({ kind: "new", text: b[j++] });
  }
  return pieces;
}

/** The pieces as elements; nothing where nothing changes. */
export function show(place, before, after) {
  place.replaceChildren();
  if (before === after) return;
  for (const { kind, text } of diff(before, after)) {
    const node = document.createElement({ same: "span", gone: "del", new: "ins" }[kind]);
    node.textContent = text;
    place.append(node);
  }
}
