/**
 * Convert a model card's Markdown to DOM nodes: headings, paragraphs, lists, tables, code, emphasis, links.
 * All text is set through textContent, so a card cannot insert markup or scripts.
 */

const INLINE = /`([^`]+)`|\*\*(.+?)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)|<(https?:\/\/[^\s>]+)>/g;

function element(name, text) {
  const node = document.createElement(name);
  node.append(...inline(text));
  return node;
}

function link(words, href) {
  return Object.assign(document.createElement("a"), { textContent: words, href, target: "_blank", rel: "noopener noreferrer" });
}

function inlineNode([, code, strong, emphasis, words, href, address]) {
  if (code) return Object.assign(document.createElement("code"), { textContent: code });
  if (strong) return element("strong", strong);
  if (emphasis) return element("em", emphasis);
  return link(words ?? address, href ?? address);
}

function inline(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(text.slice(from, match.index), inlineNode(match));
    from = match.index + match[0].length;
  }
  return [...nodes, text.slice(from)];
}

/** Remove and return the leading lines for which `belongs` holds. */
function takeWhile(lines, belongs) {
  const end = lines.findIndex((line) => !belongs(line));
  return lines.splice(0, end < 0 ? lines.length : end);
}

const FENCE = /^```/;
const HEADING = /^(#{1,6})\s+(.*)$/;
const RULE = /^(-{3,}|\*{3,})$/;
const BULLET = /^\s*[-*+]\s+/;
const NUMBER = /^\s*\d+[.)]\s+/;
const ROW = /^\s*\|/;
const STARTS = [FENCE, HEADING, RULE, BULLET, NUMBER, ROW];
const isPlain = (line) => line.trim() !== "" && !STARTS.some((start) => start.test(line));

function codeBlock(lines) {
  lines.shift();
  const code = takeWhile(lines, (line) => !FENCE.test(line));
  lines.shift();
  const block = document.createElement("pre");
  block.append(Object.assign(document.createElement("code"), { textContent: code.join("\n") }));
  return block;
}

function list(lines, name, marker) {
  const block = document.createElement(name);
  while (lines.length && marker.test(lines[0])) {
    const words = lines.shift().replace(marker, "");
    const rest = takeWhile(lines, (line) => isPlain(line) && /^\s/.test(line));
    block.append(element("li", [words, ...rest.map((line) => line.trim())].join(" ")));
  }
  return block;
}

function table(lines) {
  const rows = takeWhile(lines, (line) => ROW.test(line)).map((line) => line.trim().replace(/^\||\|$/g, "").split("|"));
  const block = document.createElement("table");
  rows.forEach((cells, index) => {
    if (cells.every((cell) => /^[\s:-]*$/.test(cell))) return; // the line below the head, or an empty head
    block.insertRow().append(...cells.map((cell) => element(index ? "td" : "th", cell.trim())));
  });
  return block;
}

function heading(line) {
  const [, marks, words] = line.match(HEADING);
  return element(`h${Math.min(6, marks.length + 2)}`, words); // below the page's own h1 and h2
}

function block(lines) {
  if (FENCE.test(lines[0])) return codeBlock(lines);
  if (HEADING.test(lines[0])) return heading(lines.shift());
  if (RULE.test(lines[0])) return lines.shift() && document.createElement("hr");
  if (BULLET.test(lines[0])) return list(lines, "ul", BULLET);
  if (NUMBER.test(lines[0])) return list(lines, "ol", NUMBER);
  if (ROW.test(lines[0])) return table(lines);
  return element("p", takeWhile(lines, isPlain).join(" "));
}

/** Return the nodes of a Markdown text. */
export function markdown(text) {
  const lines = text.split(/\r?\n/);
  const nodes = [];
  while (lines.length) {
    if (lines[0].trim() === "") lines.shift();
    else nodes.push(block(lines));
  }
  return nodes;
}
