// Small helpers for building the page. Text is only ever set as text, never as markup.

export const $ = (id) => document.getElementById(id);

// An element with attributes and children; a child that is a string becomes text, null or false is left out.
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== false));
  return made;
}

export function show(element, visible) {
  element.hidden = !visible;
}

// "one term", "3 terms"
export function count(number, word) {
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}

export function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
