// The shop's own worker: these two lines are all that web push asks of a shop. A real shop writes its server's address here.
self.causerie = new URL("/channels/webpush/", self.location).href;
importScripts(self.causerie + "worker.js");
