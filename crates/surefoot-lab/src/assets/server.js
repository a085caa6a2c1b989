// What the page asks of the server.

const token = new URLSearchParams(location.search).get("token") ?? "";

async function ask(method, path, body) {
  const headers = { "x-surefoot-token": token };
  if (body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (answer.ok) return answer;
  const text = await answer.text();
  let said;
  try {
    said = JSON.parse(text);
  } catch {
    said = { error: answer.status === 413 ? "the table is larger than 16 MiB: use the command `surefoot train`" : text };
  }
  throw new Error(said.hint ? `${said.error}. ${said.hint}` : said.error);
}

export const get = (path) => ask("GET", path).then((answer) => answer.json());
export const post = (path, body) => ask("POST", path, body).then((answer) => answer.json());
export const remove = (path) => ask("DELETE", path);
export const address = token;

/** Saves a file under a name. */
export async function save(path, name) {
  const answer = await ask("GET", path);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
