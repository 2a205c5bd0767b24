"""The doctor's findings in words: what it means, and what to do. English, French."""

SENTENCES: dict[str, tuple[str, str]] = {
    "unanswered": (
        "The DNS gave no answer ({}). Ask again later.",
        "Le DNS n'a pas répondu ({}). Redemandez plus tard.",
    ),
    "spf_none": (
        "{} has no SPF record: nobody knows who may write for it. Publish a TXT record such as"
        ' "v=spf1 include:YOUR-PROVIDER -all"; your provider\'s page has the name to include.',
        "{} n'a pas d'enregistrement SPF : personne ne sait qui peut écrire en son nom. Publiez un enregistrement TXT comme"
        " « v=spf1 include:VOTRE-PRESTATAIRE -all » ; la page de votre prestataire donne le nom à inclure.",
    ),
    "spf_several": (
        "{} has more than one SPF record: receivers then read none. Make one of them.",
        "{} a plusieurs enregistrements SPF : les destinataires n'en lisent alors aucun. N'en faites qu'un.",
    ),
    "spf_lookups": (
        "The SPF record takes {} look-ups and at most 10 are allowed: beyond them it counts for nothing. Drop what you do not use.",
        "L'enregistrement SPF demande {} consultations et 10 sont permises : au-delà il ne compte plus. Ôtez ce qui ne sert pas.",
    ),
    "spf_missing": (
        "The SPF record includes {}, which has none: receivers take the whole for broken. Mend the name or drop it.",
        "L'enregistrement SPF inclut {}, qui n'en a pas : le tout passe pour cassé. Corrigez le nom ou ôtez-le.",
    ),
    "spf_all": (
        "The SPF record ends with +all: everybody may write in your name. End it with -all.",
        "L'enregistrement SPF finit par +all : tout le monde peut écrire en votre nom. Finissez-le par -all.",
    ),
    "spf_open": (
        "The SPF record says nothing of others. End it with ~all, or -all once you know all who write for you.",
        "L'enregistrement SPF ne dit rien des autres. Finissez-le par ~all, ou -all quand vous connaissez tous vos expéditeurs.",
    ),
    "spf_ptr": (
        "The SPF record uses ptr, which is slow and which receivers may ignore. Name addresses instead.",
        "L'enregistrement SPF utilise ptr, lent et que les destinataires peuvent ignorer. Nommez plutôt des adresses.",
    ),
    "spf_good": ("SPF says who may write: {}", "SPF dit qui peut écrire : {}"),
    "dkim_unknown": (
        "No DKIM key is configured here. If your provider signs for {}, name its selector with --selector to have it looked at;"
        " else set dkim_selector and dkim_key.",
        "Aucune clé DKIM n'est configurée ici. Si votre prestataire signe pour {}, donnez son sélecteur avec --selector pour"
        " qu'il soit examiné ; sinon réglez dkim_selector et dkim_key.",
    ),
    "dkim_none": (
        "The public key is not published. Publish: {}",
        "La clé publique n'est pas publiée. Publiez : {}",
    ),
    "dkim_revoked": ("{} has an empty key: it is revoked.", "{} a une clé vide : elle est révoquée."),
    "dkim_other": (
        "Another key is published than the one that signs, so every signature fails. Publish: {}",
        "Une autre clé que celle qui signe est publiée, toute signature échoue donc. Publiez : {}",
    ),
    "dkim_test": (
        "{} says t=y: a test, which receivers may disregard. Take it out.",
        "{} dit t=y : un essai, que les destinataires peuvent négliger. Ôtez-le.",
    ),
    "dkim_short": (
        "{} is shorter than 2048 bits. Make a new key.",
        "{} fait moins de 2048 bits. Faites une nouvelle clé.",
    ),
    "dkim_good": ("The key at {} is in order.", "La clé en {} est en ordre."),
    "dmarc_none": (
        "{} has no DMARC record, which Gmail and Yahoo want. Begin with a TXT record at _dmarc:"
        ' "v=DMARC1; p=none; rua=mailto:...".',
        "{} n'a pas d'enregistrement DMARC, que Gmail et Yahoo demandent. Commencez par un TXT en _dmarc :"
        " « v=DMARC1; p=none; rua=mailto:... ».",
    ),
    "dmarc_several": (
        "{} has more than one DMARC record: receivers then read none.",
        "{} a plusieurs enregistrements DMARC : les destinataires n'en lisent alors aucun.",
    ),
    "dmarc_no_policy": ("{} says no policy (p=).", "{} ne dit aucune politique (p=)."),
    "dmarc_blind": (
        "{} asks for no reports: add rua=mailto:... to see who writes in your name.",
        "{} ne demande aucun rapport : ajoutez rua=mailto:... pour voir qui écrit en votre nom.",
    ),
    "dmarc_watching": (
        "{} only watches (p=none). Once the reports show none but yours, say p=quarantine, then p=reject.",
        "{} ne fait qu'observer (p=none). Quand les rapports ne montrent plus que vous, dites p=quarantine, puis p=reject.",
    ),
    "dmarc_good": ("DMARC says what to do with forgeries: {}.", "DMARC dit que faire des faux : {}."),
    "aligned_by_dkim": (
        "Bounces go to {}, another domain; DKIM signs for the one that people see, so DMARC is content.",
        "Les retours vont à {}, un autre domaine ; DKIM signe pour celui que l'on voit, DMARC est donc satisfait.",
    ),
    "not_aligned": (
        "Bounces go to {}, another domain, and no key here signs for the one that people see: DMARC fails unless the"
        " provider signs.",
        "Les retours vont à {}, un autre domaine, et aucune clé ici ne signe pour celui que l'on voit : DMARC échoue, à moins"
        " que le prestataire ne signe.",
    ),
    "mx_none": (
        "{} has no mail server (MX): bounces and answers get lost, and some receivers refuse such senders.",
        "{} n'a pas de serveur de courrier (MX) : retours et réponses se perdent, et certains refusent de tels expéditeurs.",
    ),
    "mx_good": ("Bounces and answers arrive at {}.", "Retours et réponses arrivent à {}."),
    "host_unknown": (
        "{} has no address: mail can not be handed over.",
        "{} n'a pas d'adresse : rien ne peut lui être remis.",
    ),
    "ptr_none": (
        "{} has no name in the reverse DNS. If it is your own relay, ask whoever gave you the address to set one.",
        "{} n'a pas de nom dans le DNS inverse. Si c'est votre propre relais, demandez-en un à qui vous a donné l'adresse.",
    ),
    "ptr_elsewhere": (
        "The name of {} in the reverse DNS does not lead back to it. If it is your own relay, make them agree.",
        "Le nom de {} dans le DNS inverse ne ramène pas à elle. Si c'est votre propre relais, accordez-les.",
    ),
    "ptr_good": ("The addresses of {} have names that lead back.", "Les adresses de {} ont des noms qui y ramènent."),
    "one_click": (
        "Marketing carries List-Unsubscribe with one click, at {}.",
        "Le marketing porte List-Unsubscribe en un clic, à {}.",
    ),
    "one_click_plain": (
        "server.public_url is {}: one-click unsubscribing wants https.",
        "server.public_url est {} : la désinscription en un clic demande https.",
    ),
}
