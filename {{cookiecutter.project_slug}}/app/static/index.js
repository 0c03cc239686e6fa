// Lists the parts that the service depends on, each with its state.
const parts = document.getElementById("parts");

function show(name, state) {
  const row = document.createElement("div");
  const term = document.createElement("dt");
  const value = document.createElement("dd");
  term.textContent = name;
  value.textContent = state;
  value.className = state === "ok" ? "ok" : "failed";
  row.append(term, value);
  parts.append(row);
}

try {
  const answer = await fetch("/health/ready");
  const health = await answer.json();
  if (answer.ok) {
    Object.entries(health.parts).forEach(([name, state]) => show(name, state));
  } else {
    show("ready", health.detail);
  }
} catch (error) {
  show("ready", error.message);
}
