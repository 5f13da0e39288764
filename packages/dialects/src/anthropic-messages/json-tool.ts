/**
 * Models before structured outputs give JSON by a schema as the input of a call that they are made to make. It goes by this name,
 * by which its input is told to the client as what it is: the text of the answer.
 */
export const jsonTool = "tuloy_json_answer";
