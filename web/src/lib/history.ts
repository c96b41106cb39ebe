// Conversations in the browser's own database (IndexedDB): they never leave the machine.
import type { Conversation } from "./conversation";

const storeName = "conversations";

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("pintle", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(storeName, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

let database: Promise<IDBDatabase> | undefined;

async function run<T>(mode: IDBTransactionMode, action: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  database ??= open();
  const store = (await database).transaction(storeName, mode).objectStore(storeName);
  return new Promise((resolve, reject) => {
    const request = action(store);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** All conversations, the one changed last first. */
export async function loadAll(): Promise<Conversation[]> {
  const all = await run<Conversation[]>("readonly", (store) => store.getAll());
  return all.sort((a, b) => b.at - a.at);
}
export const save = (conversation: Conversation) => run("readwrite", (store) => store.put(conversation));
export const remove = (id: string) => run("readwrite", (store) => store.delete(id));
export const removeAll = () => run("readwrite", (store) => store.clear());

/** Hands the reader a file. */
export function download(name: string, type: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
