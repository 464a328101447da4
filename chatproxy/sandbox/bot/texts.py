"""What the bot says: greeting, samples of text, and the words around them. Data only."""

GREETING = (
    "Hello {name}, I am the bot of this sandbox. Write anything and I will quote it, "
    "or write help to see what I can show you."
)

RETURNED = "You are back with the bot. Write help to see what I can show you."

MARKDOWN = """Here is **bold**, *italic* and `code`, and a [link](https://docs.aws.amazon.com/connect/).

Before you send something back:
1. Print the label
2. Put it on the box
3. Bring it to any shop

What we cannot take:
* worn shoes
* opened cleaning kits

All done 🎉"""

STREAMED = (
    "A refund takes three steps. First the parcel reaches our warehouse, usually within two days. "
    "Then somebody looks at what is inside. And then the money is on its way, "
    "to the card you paid with."
)

JSON = {
    "kind": "order",
    "number": "1042",
    "state": "shipped",
    "lines": [{"article": "Trail runner", "size": 42, "price": {"amount": 129.0, "unit": "EUR"}}],
}

INVOICE_NAME = "invoice-1042.pdf"
INVOICE_LINES = (
    "Invoice 1042",
    "",
    "1 Trail runner, size 42           EUR 129.00",
    "1 Shoe trees, cedar               EUR  24.50",
    "",
    "Total                             EUR 153.50",
    "",
    "Thank you. This is a sample of the sandbox.",
)

LOOKING_FOR_AGENT = "I am looking for a person. Write bot if you would rather not wait."
STILL_LOOKING = (
    "Nobody has come so far. You are still in line: open the agent console to answer "
    "yourself, or write bot to go on with me."
)
NO_LONGER_LOOKING = "All right, you are out of the line and back with me."

SIGN_IN = (
    "Please sign in. Or try an outcome: signin ok, signin fail, signin timeout, "
    "signin expire, signin cancel."
)

GOODBYE = "Goodbye {name}, I am closing this chat."
