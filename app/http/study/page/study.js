// One participant's way through the study: begin, choose, continue, thank.

const byId = (id) => document.getElementById(id);
const main = byId("main");
const sections = ["welcome", "ask", "thanks", "failure"].map(byId);

let about; // source, target, question, pictures, choices
let place = 0; // the picture shown, from 1
let busy = false; // a vote is on its way, or the pictures are not shown yet
let repeat = start; // what failed last

const token = () => location.hash.slice(1);
const own = (path = "") => `participants/${encodeURIComponent(token())}${path}`;
const imageOf = (number, choice) => own(`/pictures/${number}/${choice ? `choices/${choice}` : "source"}.jpg`);

class Refusal extends Error {
  constructor(problem) {
    super(problem.detail);
    this.code = problem.code;
  }
}

/** Return the JSON of an answer; an error has the server's sentence. */
async function ask(path, method = "GET", body = undefined) {
  let response;
  try {
    const headers = body ? { "Content-Type": "application/json" } : {};
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  } catch {
    throw new Error("The study cannot be reached; check your connection.");
  }
  const answer = await response.json().catch(() => ({ detail: `The study answered ${response.status}.` }));
  if (!response.ok) throw new Refusal(answer);
  return answer;
}

function show(id) {
  for (const section of sections) section.hidden = section.id !== id;
  main.dataset.state = id;
  byId("link").hidden = !token() || id === "failure";
  byId("address").value = location.href;
}

/** Run a step; show its error with a button that repeats it. */
async function attempt(step) {
  repeat = step;
  try {
    await step();
  } catch (error) {
    byId("reason").textContent = error.message;
    byId("anew").hidden = error.code !== "unknown_participant";
    byId("retry").hidden = error.code === "unknown_participant";
    show("failure");
  } finally {
    busy = false;
  }
}

async function start() {
  about = await ask("study");
  document.title = about.question;
  if (token()) await go(await ask(own()));
  else welcome();
}

function welcome() {
  byId("explanation").textContent =
    `You will see ${about.pictures} ${about.pictures === 1 ? "picture" : "pictures"}, each with ${about.choices} translations ` +
    `from ${about.source} to ${about.target}. ${about.question}`;
  show("welcome");
}

async function begin() {
  const { participant } = await ask("participants", "POST");
  history.replaceState(null, "", `#${participant}`);
  await go(await ask(own()));
}

async function go(progress) {
  if (progress.next === null) {
    finish(progress);
    return;
  }
  await open(progress.next);
}

/** Show one picture; choices are accepted once all of its images are visible. */
async function open(number) {
  place = number;
  const choices = byId("choices");
  choices.setAttribute("aria-busy", "true");
  const { choice } = await ask(own(`/pictures/${number}`));
  byId("question").textContent = about.question;
  byId("count").textContent = `Picture ${number} of ${about.pictures}`;
  const bar = document.querySelector("[role=progressbar]");
  bar.ariaValueMax = about.pictures;
  bar.ariaValueNow = number - 1;
  bar.firstElementChild.style.setProperty("--share", (number - 1) / about.pictures);
  byId("source").src = imageOf(number);
  byId("source").alt = `The ${about.source}`;
  byId("source-name").textContent = about.source;
  choices.replaceChildren(...Array.from({ length: about.choices }, (_, index) => button(number, index + 1, choice)));
  byId("back").disabled = number === 1;
  show("ask");
  const board = document.querySelector(".board");
  board.style.setProperty("--choices", about.choices);
  board.toggleAttribute("data-many", about.choices > 3);
  await Promise.all([...board.querySelectorAll("img")].map(loaded));
  board.style.setProperty("--ratio", byId("source").naturalWidth / byId("source").naturalHeight);
  choices.setAttribute("aria-busy", "false");
  byId("question").focus();
  preload(number + 1);
}

function button(number, index, chosen) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "choice";
  made.ariaPressed = String(index === chosen);
  made.ariaLabel = `Translation ${index}`;
  made.dataset.choice = index;
  const image = document.createElement("img");
  image.alt = "";
  image.src = imageOf(number, index);
  const label = document.createElement("b");
  label.textContent = index;
  made.append(image, label);
  return made;
}

function loaded(image) {
  return image.decode().catch(() => {
    throw new Error("A picture could not be loaded; check your connection.");
  });
}

/** Ask for the next images already, so that the next picture appears at once. */
function preload(number) {
  if (number > about.pictures) return;
  for (let choice = 0; choice <= about.choices; choice++) new Image().src = imageOf(number, choice);
}

async function choose(choice) {
  for (const each of byId("choices").children) each.ariaPressed = String(Number(each.dataset.choice) === choice);
  const progress = await ask(own(`/pictures/${place}/vote`), "PUT", { choice });
  byId("status").textContent = `Translation ${choice} chosen.`;
  if (place < about.pictures && progress.next !== null) await open(progress.next > place ? progress.next : place + 1);
  else await go(progress);
}

function finish(progress) {
  place = about.pictures + 1;
  byId("finished").textContent = `You have chosen for all ${progress.pictures} pictures.`;
  show("thanks");
  document.querySelector("#thanks h1").focus();
}

/** Run a step unless another one is running. */
function once(step) {
  if (busy) return;
  busy = true;
  attempt(step);
}

byId("begin").addEventListener("click", () => once(begin));
byId("back").addEventListener("click", () => once(() => open(place - 1)));
byId("again").addEventListener("click", () => once(() => open(about.pictures)));
byId("retry").addEventListener("click", () => once(repeat));
byId("anew").addEventListener("click", () => {
  history.replaceState(null, "", location.pathname);
  once(start);
});
byId("choices").addEventListener("click", (event) => {
  const chosen = event.target.closest(".choice");
  if (chosen) once(() => choose(Number(chosen.dataset.choice)));
});
byId("copy").addEventListener("click", async () => {
  byId("address").select();
  const written = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
  const copied = written || document.execCommand("copy"); // without HTTPS there is no navigator.clipboard
  byId("status").textContent = copied ? "Link copied." : "The browser did not copy the link; it is selected.";
  byId("copy").textContent = copied ? "Copied" : "Not copied";
});
addEventListener("keydown", (event) => {
  if (main.dataset.state !== "ask" || event.ctrlKey || event.altKey || event.metaKey || event.target === byId("address")) return;
  const number = Number(event.key);
  const all = [...byId("choices").children];
  if (number >= 1 && number <= all.length) once(() => choose(number));
  else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    const at = all.indexOf(document.activeElement), by = event.key === "ArrowRight" ? 1 : -1;
    all[at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length].focus();
  }
});
addEventListener("hashchange", () => once(start));

once(start);
