# memviz on CPU, for everybody who reaches port 7860: docs/deploy.md
FROM python:3.12-slim
RUN useradd --create-home --uid 1000 memviz
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu -r requirements.txt
COPY --chown=memviz app.py LICENSE ./
COPY --chown=memviz memviz memviz
COPY --chown=memviz assets assets
RUN mkdir /data && chown memviz /data
USER memviz
ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860 MEMVIZ_HOME=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 7860
HEALTHCHECK CMD python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/', timeout=5)"
CMD ["python", "app.py"]
