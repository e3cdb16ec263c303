/** The form as an address, and an address as the form. */

const form = document.getElementById("controls");
const root = document.querySelector("main");
const layersOf = JSON.parse(root.dataset.layers);
const held = (name) => form.querySelector(`[data-control="${name}"]`);

/** One control: what it holds, what it begins with, what an address need not say. */
class Control {
  constructor(name) {
    this.name = name;
    this.box = held(name);
    this.input = this.box.querySelector("input[type=range], select, input[type=checkbox]");
    const said = (this.input ?? this.box).dataset;
    [this.start, this.fallback] = [said.start ?? root.dataset.photo, said.default ?? ""];
    if (this.isSlider) {
      this.values = JSON.parse(said.values);
      this.words = JSON.parse(said.words);
      this.input.addEventListener("input", () => this.show());
    }
  }

  get isSlider() {
    return this.input?.type === "range";
  }

  get value() {
    if (this.isSlider) return this.values[this.input.value];
    if (this.input?.type === "checkbox") return String(this.input.checked);
    if (this.input) return this.input.value;
    return this.box.querySelector("input:checked")?.value ?? this.fallback;
  }

  set value(value) {
    if (this.isSlider) this.slideTo(value);
    else if (this.input?.type === "checkbox") this.input.checked = value === "true";
    else if (this.input) this.input.value = value;
    else {
      const found = [...this.box.querySelectorAll("input[type=radio]")].find((i) => i.value === value);
      if (found) found.checked = true;
    }
  }

  /** Addresses may give values between the stops; these get stops of their own. */
  slideTo(value) {
    if (!this.values.includes(value)) {
      const number = Number(value);
      let place = this.values.findIndex((v) => v !== "" && Number(v) > number);
      if (place < 0) place = this.values.length;
      this.values.splice(place, 0, value);
      this.words.splice(place, 0, value);
      this.input.max = this.values.length - 1;
    }
    this.input.value = this.values.indexOf(value);
    this.show();
  }

  show() {
    const word = this.words[this.input.value];
    this.input.setAttribute("aria-valuetext", word);
    this.box.querySelector("output").textContent = word;
  }

  /** Other stops; the slider stays as near as it can to where it was. */
  setStops(values) {
    const share = this.input.value / (this.input.max || 1);
    const kept = values.indexOf(this.value);
    [this.values, this.words] = [[...values], [...values]];
    this.input.max = values.length - 1;
    this.input.value = kept >= 0 ? kept : Math.round(share * (values.length - 1));
    this.show();
  }
}

const NAMES = [
  "photo", "decoder", "architecture", "layer", "pooled", "pool", "width", "kernel_size", "slope",
  "simplified", "unpool", "head", "family", "scale", "seed", "size", "input",
];
const controls = Object.fromEntries(NAMES.map((name) => [name, new Control(name)]));
let others = {}; // options that an address gave and no control shows

/** What the form asks for: options that are not their library's default. */
export function query(changes = {}) {
  const said = {};
  for (const [name, control] of Object.entries(controls)) said[name] = control.value;
  const value = { ...said, ...others, ...changes };
  const fallback = Object.fromEntries(NAMES.map((name) => [name, controls[name].fallback]));
  const weights = `${value.family}:${value.scale}`;
  const asked = new URLSearchParams({ photo: value.photo });
  if (value.decoder) asked.set("decoder", value.decoder);
  for (const name of [...NAMES, ...Object.keys(others)]) {
    if (["photo", "decoder", "family", "scale"].includes(name)) continue;
    if (value.decoder && name !== "size") continue; // the file says everything else
    if (value[name] !== fallback[name]) asked.set(name, value[name]);
  }
  if (!value.decoder && weights !== `${fallback.family}:${fallback.scale}`) asked.set("weights", weights);
  return asked.toString();
}

/** Fills the form from an address; an empty one is where the page begins. */
export function fill(text) {
  const asked = new URLSearchParams(text);
  const empty = [...asked.keys()].length === 0;
  const [family, scale] = (asked.get("weights") ?? "").split(":");
  if (scale !== undefined) {
    asked.set("family", family);
    asked.set("scale", scale);
  }
  asked.delete("weights");
  const values = {};
  for (const name of NAMES) {
    const control = controls[name];
    const fallback = empty ? control.start : name === "photo" ? control.start : control.fallback;
    values[name] = asked.get(name) ?? fallback;
    asked.delete(name);
  }
  others = Object.fromEntries(asked);
  controls.architecture.value = values.architecture;
  offerLayers(values.layer);
  for (const name of NAMES) {
    if (name !== "layer") controls[name].value = values[name];
  }
  settle();
}

/** The layers of the chosen architecture; an address may name the last of a block in full. */
function offerLayers(layer) {
  const names = layersOf[controls.architecture.value] ?? [];
  controls.layer.setStops(names);
  if (layer === undefined) return;
  const block = layer.split("_")[0];
  controls.layer.slideTo(names.includes(layer) || !names.includes(block) ? layer : block);
}

/** What can't be chosen beside a decoder file is shown so. */
function settle() {
  document.getElementById("random").disabled = controls.decoder.value !== "";
  controls.input.input.disabled = controls.decoder.value !== "";
}

/** The blocks of the chosen architecture, by the names of their layers. */
export function blocks() {
  return layersOf[controls.architecture.value].filter((name) => !name.includes("_"));
}

export const valueOf = (name) => controls[name].value;

export function choose(name, value) {
  controls[name].value = value;
  settle();
}

/** Tells whenever the form has changed. */
export function onChange(tell) {
  form.addEventListener("input", (event) => {
    if (event.target.type === "file") return;
    if (event.target.id === "architecture") offerLayers();
    settle();
    tell();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
}
