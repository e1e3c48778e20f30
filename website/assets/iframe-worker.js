// On a page from disk a browser starts no worker from a file: the search's own comes as text.
if (location.protocol === "file:") {
  const address = URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" }));
  window.Worker = class extends Worker {
    constructor() {
      super(address);
    }
  };
}
