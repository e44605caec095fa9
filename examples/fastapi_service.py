"""The library inside a service of one's own: uvicorn fastapi_service:app --app-dir examples"""

from typing import Any

from fastapi import FastAPI

import classifier

app = FastAPI(on_startup=[classifier.load])


@app.get("/terms")
async def terms(text: str, home: str | None = None) -> dict[str, Any]:
    return (await classifier.atag(text, home=home)).to_dict()
