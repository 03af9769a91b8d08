"""TorchScript archives: their code as text, evaluated step by step, and the table of aten operators of ExportedPrograms."""
