/** The same picture again: Python, command, link, files. */

const byId = (id) => document.getElementById(id);

export function showAgain(answer) {
  byId("python").textContent = answer.python;
  byId("command").textContent = answer.command;
  byId("command-note").textContent = answer.command.includes(" --decoder ")
    ? "It writes its pictures into preimage-decoded/."
    : "It writes its pictures into preimage-out/; without a file of yours it takes all four embedded photos.";
  byId("download-png").href = `picture.png?${answer.query}`;
  byId("download-json").href = `record.json?${answer.query}`;
}

/** Says on the button that it is done. */
async function copy(button, text) {
  const said = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Your browser keeps the clipboard to itself; select and copy";
  }
  setTimeout(() => (button.textContent = said), 1600);
}

for (const button of document.querySelectorAll("[data-copies]")) {
  button.addEventListener("click", () => copy(button, byId(button.dataset.copies).textContent));
}
byId("permalink").addEventListener("click", (event) => copy(event.currentTarget, location.href));
