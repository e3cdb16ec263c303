/** A description as boxes: as tall as its maps, as wide as its channels are many. */

const list = document.getElementById("boxes");
const totals = document.getElementById("totals");
const count = new Intl.NumberFormat("en");

export function showNetwork(network) {
  list.replaceChildren();
  if (network === null) {
    totals.textContent = "A layer of another model, which is not described here.";
    return;
  }
  const { parameters, multiply_adds: work } = network;
  totals.textContent = `${count.format(parameters)} weights, ${count.format(work)} multiply-adds for this photo.`;
  list.append(box({ name: "photo", kind: "data", what: "pixels", shape: network.input }, network));
  for (const [index, each] of network.boxes.entries()) {
    list.append(box({ ...each, part: index < network.encoder ? "CNN" : "DCN" }, network));
  }
}

function box({ name, kind, what, shape, part = "" }, network) {
  const [channels, height, width] = shape;
  const item = document.createElement("li");
  item.className = `box ${kind} ${part.toLowerCase()}`;
  const block = document.createElement("span");
  block.className = "block";
  block.style.setProperty("--tall", (height / network.input[1]).toFixed(3));
  block.style.setProperty("--wide", (Math.log2(channels + 1) / 10).toFixed(3));
  const title = document.createElement("strong");
  title.textContent = name;
  const words = document.createElement("span");
  words.textContent = what;
  const size = document.createElement("span");
  size.className = "shape";
  size.textContent = `${channels} × ${height} × ${width}`;
  const whole = document.createElement("span");
  whole.className = "drawn";
  whole.append(block);
  item.append(whole, title, words, size);
  return item;
}
