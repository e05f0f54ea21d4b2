// The pages, as text.
"use strict";

const { escape } = require("markup");

function layout(title, body) {
  return (
    `<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>${escape(title)}</title>` +
    `<link rel="stylesheet" href="/assets/${__STYLE__}"></head><body><main>${body}</main>` +
    `<footer>Catalogue ${__VERSION__}</footer></body></html>`
  );
}

exports.home = (list) => {
  if (!list) return layout("Catalogue", "<p>Le service est momentanément indisponible.</p>");
  const items = list.items.map((item) => `<li>${escape(item.title)}</li>`).join("");
  return layout("Catalogue", `<h1>Jeux de données</h1><ul>${items}</ul>`);
};

exports.notFound = () => layout("Introuvable", "<h1>Page introuvable</h1>");
