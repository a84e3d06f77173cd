// Sends an operation of the API as its form says, with the pasted token, and shows the answer. The token is kept nowhere.

const token = document.getElementById("token");

function requestOf(form) {
  const headers = { Authorization: `Bearer ${token.value.trim()}` };
  const query = new URLSearchParams();
  let path = form.dataset.path;
  let body;
  for (const field of form.querySelectorAll("[data-place]")) {
    const { place } = field.dataset;
    if (place === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
    else if (place === "body") body = field.value;
    else if (field.value && place === "query") query.set(field.name, field.value);
    else if (field.value) headers[field.name] = field.value;
  }
  if (body) headers["Content-Type"] = "application/json";
  return [query.size ? `${path}?${query}` : path, { method: form.dataset.method, headers, body, credentials: "omit" }];
}

function element(name, text, kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = kind;
  return made;
}

async function send(form) {
  const shown = form.querySelector(".answer");
  try {
    const answer = await fetch(...requestOf(form));
    const text = await answer.text();
    const isJson = answer.headers.get("Content-Type")?.includes("json");
    const told = [...answer.headers].filter(([name]) => /^(etag|ratelimit|retry-after|idempotency)/.test(name));
    shown.replaceChildren(
      element("p", `${answer.status} ${answer.statusText}`, answer.ok ? "tag good" : "tag bad"),
      element("p", told.map(([name, value]) => `${name}: ${value}`).join("\n"), "headers"),
      element("pre", isJson && text ? JSON.stringify(JSON.parse(text), null, 2) : text),
    );
    shown.querySelector("pre").tabIndex = 0;
  } catch {
    shown.replaceChildren(element("p", shown.dataset.unreachable, "problem"));
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id !== "credentials" && !form.dataset.path) return;
  event.preventDefault();
  if (form.dataset.path) send(form);
});
