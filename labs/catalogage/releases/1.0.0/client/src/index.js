// Serves the pages: `node ./build`, on HOST and PORT.
"use strict";

const fs = require("fs");
const http = require("http");
const path = require("path");
const page = require("./page");

const API = __VITE_API_SSR_URL__;
const host = process.env.HOST || "127.0.0.1";
const port = Number(process.env.PORT || 3000);

function ask(url) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { timeout: 5000, agent: false }, (answer) => {
      let body = "";
      answer.setEncoding("utf8");
      answer.on("data", (part) => (body += part));
      answer.on("end", () =>
        answer.statusCode === 200 ? resolve(JSON.parse(body)) : reject(new Error(answer.statusCode)),
      );
    });
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", reject);
  });
}

function send(response, status, type, body) {
  response.writeHead(status, { "content-type": type, "x-client-version": __VERSION__ });
  response.end(body);
}

function asset(request, response) {
  const file = path.join(__dirname, "assets", path.basename(request.url));
  fs.readFile(file, (error, body) =>
    error ? send(response, 500, "text/plain", "ENOENT") : send(response, 200, "text/css", body),
  );
}

// As in the original, the page comes with 200 even when the API does not answer.
async function home(response) {
  const list = await ask(`${API}/datasets/?page_size=10`).catch(() => null);
  send(response, 200, "text/html; charset=utf-8", page.home(list));
}

const server = http.createServer((request, response) => {
  if (request.url === "/") return home(response);
  if (request.url.startsWith("/assets/")) return asset(request, response);
  return send(response, 404, "text/html; charset=utf-8", page.notFound());
});

server.listen(port, host, () => console.log(`client ${__VERSION__} on http://${host}:${port}`));
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  setTimeout(() => process.exit(0), 2000).unref();
});
