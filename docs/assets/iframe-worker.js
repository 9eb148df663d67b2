/* The search of the theme runs in a worker, and browsers start none for a page that was opened from the disk.
   There the script of the worker runs in a hidden frame of the page, which answers as a worker would. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      const inside = frame.contentWindow;
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.receive = new Promise((resolve) => {
        const script = frame.contentDocument.createElement("script");
        script.src = new URL(address, location.href);
        script.onload = () => resolve((data) => inside.dispatchEvent(new inside.MessageEvent("message", { data })));
        frame.contentDocument.body.append(script);
      });
    }

    postMessage(data) {
      this.receive.then((receive) => receive(data));
    }
  };
}
