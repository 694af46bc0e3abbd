/** Photos that are translated one after another, the shown one first. */

const MOST_ATTEMPTS = 4; // of one photo among several, while the service is busy

const newItem = (file) => ({ file, small: false, place: null, view: null, state: "waiting", result: null, error: null, upload: null, sent: 0 });

const wait = (seconds, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => resolve(clearTimeout(timer)), { once: true });
  });

/**
 * Return the queue of the chosen photos. A photo is `{file, state, result, error, small, place, view}`: `state` is
 * waiting, working, done, failed or held; `small`, `place` (of a face) and `view` (the part) are chosen by the person.
 * `work(item, signal)` resolves to the result; `onChange(item)` is called at each change of a state.
 */
export function createQueue({ work, onChange }) {
  let items = [];
  let shown = null;
  let aborter = new AbortController();

  const next = () => (shown?.state === "waiting" ? shown : items.find(({ state }) => state === "waiting"));

  function set(item, state, changes = {}) {
    Object.assign(item, { state }, changes);
    onChange(item);
  }

  /** Among several photos, wait as long as a busy service asks; one alone shows the reason and a button. */
  async function attempt(item, signal) {
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await work(item, signal);
      } catch (error) {
        const later = items.length > 1 && error.retryable && error.retryAfterSeconds > 0 && attempts < MOST_ATTEMPTS;
        if (signal.aborted || !later) throw error;
        await wait(error.retryAfterSeconds, signal);
      }
    }
  }

  async function translate(item, signal) {
    set(item, "working");
    try {
      const result = await attempt(item, signal);
      if (!signal.aborted) set(item, "done", { result });
    } catch (error) {
      if (!signal.aborted) set(item, "failed", { error });
    }
  }

  /** Translate the photos that wait; what is in progress begins again. */
  async function run() {
    aborter.abort();
    aborter = new AbortController();
    const { signal } = aborter;
    for (const item of items) if (item.state === "working") item.state = "waiting";
    for (let item = next(); item && !signal.aborted; item = next()) await translate(item, signal);
  }

  /** Replace all photos; they wait for `run`. */
  function open(files) {
    aborter.abort();
    items = files.map(newItem);
    shown = items[0] ?? null;
  }

  /** Translate photos again, by default all of them. */
  function again(those = items) {
    for (const item of those) Object.assign(item, { state: "waiting", result: null, error: null, upload: null, sent: 0 });
    return run();
  }

  function select(item) {
    const left = shown;
    shown = item;
    onChange(item);
    if (left !== item && left?.state === "held") again([left]);
  }

  /** Do not translate a photo while the person frames it. */
  function hold(item) {
    if (item.state === "done") return;
    item.state = "held";
    run();
  }

  /** Show a photo again that the person no longer frames. */
  function release(item) {
    if (item.state === "held") again([item]);
    else select(item);
  }

  /** Stop and forget the photos that are not translated; the shown one is then a translated one, or null. */
  function stop() {
    aborter.abort();
    items = items.filter(({ state }) => state === "done");
    shown = items.includes(shown) ? shown : (items[0] ?? null);
  }

  return {
    open, run, again, select, hold, release, stop,
    get items() { return items; },
    get shown() { return shown; },
  };
}
